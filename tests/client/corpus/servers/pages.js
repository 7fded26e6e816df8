// The kinds of answer that Node makes by itself: chunked by default, lengths when it knows them, interim answers, trailers.
const http = require("http");
const zlib = require("zlib");
const page = "<!doctype html>" + "<p>Nộp hồ sơ trực tuyến</p>".repeat(150);
const server = http.createServer({ keepAliveTimeout: 60000 }, (request, response) => {
  const path = new URL(request.url, "http://x").pathname;
  request.resume();
  request.on("end", () => {
    switch (path) {
      case "/": response.setHeader("Content-Type", "text/html; charset=utf-8"); return response.end(page);
      case "/chunks": response.setHeader("Content-Type", "text/html"); for (let n = 0; n < 20; n++) response.write(`<p>${n}</p>`.repeat(n + 1)); return response.end();
      case "/written-head": response.writeHead(200, "Fine", { "Content-Length": 4, "X-A": ["1", "2"], "Set-Cookie": ["a=1; Path=/", "b=2"] }); return response.end("body");
      case "/trailers": response.writeHead(200, { Trailer: "Digest", "Transfer-Encoding": "chunked" }); response.write("x"); response.addTrailers({ Digest: "y" }); return response.end();
      case "/early-hints": response.writeEarlyHints({ link: ["</a.css>; rel=preload; as=style", "</b.js>; rel=preload; as=script"] }); return response.end("late");
      case "/processing": response.writeProcessing(); return response.end("done");
      case "/gzip": response.writeHead(200, { "Content-Encoding": "gzip", "Content-Type": "text/html" }); return response.end(zlib.gzipSync(page));
      case "/br": response.writeHead(200, { "Content-Encoding": "br" }); return response.end(zlib.brotliCompressSync(page));
      case "/deflate": response.writeHead(200, { "Content-Encoding": "deflate" }); return response.end(zlib.deflateSync(page));
      case "/raw-deflate": response.writeHead(200, { "Content-Encoding": "deflate" }); return response.end(zlib.deflateRawSync(page));
      case "/gzip-stream": { response.writeHead(200, { "Content-Encoding": "gzip" }); const packer = zlib.createGzip(); packer.pipe(response); packer.write(page); packer.flush(() => packer.end(page)); return; }
      case "/nothing": response.writeHead(204); return response.end();
      case "/unchanged": response.writeHead(304, { ETag: '"x"' }); return response.end();
      case "/redirect": response.writeHead(302, { Location: "/?a=%C3%A1" }); return response.end();
      case "/error": response.writeHead(500); return response.end(JSON.stringify({ error: "lỗi" }));
      case "/close": response.setHeader("Connection", "close"); return response.end(page);
      case "/no-date": response.sendDate = false; return response.end("no date");
      case "/large": response.setHeader("Content-Type", "text/plain"); return response.end("0123456789abcdef".repeat(16384));
      case "/large-chunks": for (let n = 0; n < 8; n++) response.write("0123456789abcdef".repeat(2048)); return response.end();
      case "/until-close": response.removeHeader("Transfer-Encoding"); response.useChunkedEncodingByDefault = false; response.setHeader("Connection", "close"); response.write("a"); response.write(page); return response.end();
      default: response.writeHead(404, { "Content-Type": "application/json" }); return response.end('{"status":404}');
    }
  });
});
server.on("checkContinue", (request, response) => { response.writeContinue(); server.emit("request", request, response); });
server.listen(Number(process.argv[2]), "127.0.0.1");
