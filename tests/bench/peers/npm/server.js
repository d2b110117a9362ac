// The npm `cloudevents` SDK on Node's own http server: every request becomes an
// event (or, for a batch, a list of them) through HTTP.toEvent, which parses
// and validates, and is answered with 202.
import { createServer } from "node:http";
import { HTTP } from "cloudevents";

let received = 0;

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    try {
      const body = Buffer.concat(chunks).toString("utf8");
      const decoded = HTTP.toEvent({ headers: request.headers, body });
      received += Array.isArray(decoded) ? decoded.length : 1;
      response.writeHead(202, { "content-length": "0" }).end();
    } catch {
      response.writeHead(400, { "content-length": "0" }).end();
    }
  });
});

server.keepAliveTimeout = 60_000;
server.listen(Number(process.env.PORT), "127.0.0.1", 1024);
