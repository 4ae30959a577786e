// Shows what the server tells this browser, and leads to the inbox: nowhere else, whatever was told.
"use strict";

const INBOX = new URL("approvals", self.registration.scope).href;

function read(data) {
  try {
    return data.json() ?? {};
  } catch {
    return {};
  }
}

self.addEventListener("push", (event) => {
  const told = read(event.data);
  const title = String(told.title || "An agent waits for your word");
  // A later one that says the same takes the place of the one before.
  const options = { body: String(told.text || ""), tag: title, renotify: true };
  event.waitUntil(self.registration.showNotification(title, options));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow(INBOX));
});
