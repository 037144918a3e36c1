// node answer-over-http.mjs <answer.js>: what Electron's protocol would be answered, over http; prints its URL.
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const { answer } = await import(pathToFileURL(process.argv[2]).href);
const server = createServer((request, response) => void respond(request, response));

async function respond(request, response) {
  const { status, headers, body } = await answer(new Request(`app://digits${request.url}`));
  response.writeHead(status, Object.fromEntries(headers));
  for await (const chunk of body ?? []) response.write(chunk);
  response.end();
}

server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/`));
