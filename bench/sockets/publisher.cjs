// A peer that broadcasts: `ws` or `socket.io` of the folder given, one process.
// publisher.cjs FOLDER ws|socket.io PORT ASK_PORT; asked over UDP for so many messages, "r" counts them from 0.
const { createRequire } = require("node:module");
const { createServer } = require("node:http");
const { createSocket } = require("node:dgram");

const [folder, kind, port, askPort] = process.argv.slice(2);
const peer = createRequire(`${folder}/`);
const LENGTH = 300;
const door = createServer();

function message(number, around) {
  const begin = `{"i":${number},"t":${process.hrtime.bigint()},"p":"`;
  return `${begin}${"x".repeat(LENGTH - around - begin.length - 2)}"}`;
}

let publish;
if (kind === "ws") {
  const { WebSocketServer, WebSocket } = peer("ws");
  const server = new WebSocketServer({ server: door });
  publish = (number) => {
    const text = message(number, 0);
    for (const client of server.clients) if (client.readyState === WebSocket.OPEN) client.send(text);
  };
} else {
  const { Server } = peer("socket.io");
  const server = new Server(door, { transports: ["websocket"] });
  // "t" as a string would not be found by the client: the number is parsed, and loses nothing that a millisecond shows.
  publish = (number) => server.emit("m", JSON.parse(message(number, '42["m",]'.length)));
}

let next = 0;
createSocket("udp4")
  .on("message", (text) => {
    if (String(text) === "r") next = 0;
    else for (let more = Number(text); more > 0; more--) publish(next++);
  })
  .bind(Number(askPort), "127.0.0.1");
door.listen(Number(port), "127.0.0.1", 4096);
