import { EventSource } from "eventsource";

const source = new EventSource(`${process.argv[2]}/stream?query=Hi`);
let text = "";
source.onmessage = ({ data }) => (text += JSON.parse(data).text ?? "");
source.addEventListener("done", () => {
  console.log(text);
  source.close();
});
