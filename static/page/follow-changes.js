/**
 * Keeps the list and the shown conversation current while the tab is visible: by the feed of changes, and where WebSockets
 * are dropped, by the list that is loaded when the tab becomes visible.
 */
import { ChangesFeed } from "../conversation/changes-feed.js";
import { clock } from "../dom/clock.js";
import { socketUrl } from "../stream/websocket-transport.js";

/**
 * @param {object} parts
 * @param {string} parts.base the address of the page
 * @param {import("../chat/chat.js").FreshetChat} parts.chat
 * @param {import("../sidebar/list.js").ConversationList} parts.list
 * @param {number} parts.heartbeat_ms the longest silence of the server
 */
export function followChanges({ base, chat, list, heartbeat_ms }) {
  const feed = new ChangesFeed({
    connect: () => new WebSocket(socketUrl(base)),
    clock,
    heartbeat_ms,
    listener: {
      changed: (change) => {
        list.apply(change);
        chat.follow(change);
      },
      resync: () => void list.refresh(),
      liveChanged: (isLive) => (list.isFollowed = chat.isFollowed = isLive),
    },
  });
  chat.isFollowed = false;
  let hasListed = false;
  const update = () => {
    if (document.visibilityState !== "visible") feed.stop();
    else if (hasListed) feed.start(list.cursor);
  };
  list.onListed((heads) => {
    const shown = heads.find(({ id }) => id === chat.conversation);
    if (shown) chat.follow(shown);
    if (hasListed) return;
    hasListed = true;
    update();
  });
  document.addEventListener("visibilitychange", update);
  addEventListener("online", update);
  addEventListener("pageshow", update);
  addEventListener("pagehide", () => feed.stop());
}
