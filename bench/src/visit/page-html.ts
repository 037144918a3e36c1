/** The page itself; its script fills it in. Nothing of a model's is written into it. */
export const pageHtml = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>Pare</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #222; background: #fff }
table { border-collapse: collapse; width: 100% }
th, td { padding: .4rem .6rem; border-bottom: 1px solid #ddd; text-align: right; overflow-wrap: anywhere }
th { font-weight: normal }
th:first-child, th:nth-child(2), td:nth-child(2) { text-align: left }
td:nth-child(n + 3):nth-child(-n + 6) { white-space: nowrap }
thead th { font-size: .85rem; color: #555 }
#model, #browser { overflow-wrap: anywhere }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 } th, td { border-color: #444 } thead th { color: #aaa } }
</style>
</head>
<body>
<h1 id="model">…</h1>
<p>In <span id="browser">this browser</span>, on one thread. <strong id="phase" role="status">Waiting.</strong></p>
<table>
<thead><tr><th>target</th><th>engine</th><th>download, brotli</th><th>gzip</th><th>start-up</th><th>a run</th><th></th></tr></thead>
<tbody></tbody>
</table>
<p>The download is the engine's files and the model's. Start-up is from the model's bytes to its first result, in a fresh worker, with the engine's files from this machine. Runs of all models take turns; their time is the median. Reload the page to measure again.</p>
<script type="module" src="bench/visit/page.js"></script>
</body>
</html>
`;
