import { DefaultChatTransport, readUIMessageStream } from "ai";

const transport = new DefaultChatTransport({ api: `${process.argv[2]}/ai-sdk/chat` });
const messages = [{ id: "1", role: "user", parts: [{ type: "text", text: "Hi" }] }];
const stream = await transport.sendMessages({ trigger: "submit-message", chatId: "a chat", messages });
let last = null;
for await (const message of readUIMessageStream({ stream })) last = message;
if ((await transport.reconnectToStream({ chatId: "a chat" })) !== null) throw new Error("an ended answer was resumed");
console.log(last.parts.map(({ text }) => text ?? "").join(""));
