import OpenAI from "openai";

const client = new OpenAI({ baseURL: `${process.argv[2]}/v1`, apiKey: "none", maxRetries: 0 });
const messages = [{ role: "user", content: "Hi" }];
const whole = await client.chat.completions.create({ model: "gpt-4.1", messages });
let text = "";
for await (const chunk of await client.chat.completions.create({ model: "gpt-4.1", messages, stream: true })) {
  text += chunk.choices[0]?.delta?.content ?? "";
}
console.log(whole.choices[0].message.content === text ? text : `whole: ${whole.choices[0].message.content}, streamed: ${text}`);
