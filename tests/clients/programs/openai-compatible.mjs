import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { streamText } from "ai";

const provider = createOpenAICompatible({ name: "freshet", baseURL: `${process.argv[2]}/v1` });
let text = "";
for await (const delta of streamText({ model: provider("gpt-4.1"), prompt: "Hi" }).textStream) text += delta;
console.log(text);
