// node --import parent-port.mjs: gives a script the port that Electron gives a utility process, over Node's channel.
process.parentPort = {
  on: (event, listener) => process.on(event, (data) => listener({ data })),
  postMessage: (message) => process.send(message),
};
