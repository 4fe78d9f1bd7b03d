import { WebSocket } from "ws";

const socket = new WebSocket(`${process.argv[2].replace("http", "ws")}/ws`);
let text = "";
socket.on("open", () => socket.send(JSON.stringify({ type: "start", ref: "1", query: "Hi" })));
socket.on("message", (raw) => {
  const frame = JSON.parse(raw);
  text += frame.text ?? "";
  if (!frame.done) return;
  console.log(text);
  socket.close();
});
