import { EventSourceParserStream } from "eventsource-parser/stream";

const headers = { "Content-Type": "application/json" };
const response = await fetch(`${process.argv[2]}/stream`, { method: "POST", headers, body: JSON.stringify({ query: "Hi" }) });
const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream({ onError: "terminate" }));
let text = "";
for await (const { data } of events) text += JSON.parse(data).text ?? "";
console.log(text);
