// Subscribes this browser to what the server tells it, and posts where it is reached with the form.
"use strict";

async function subscribe(form) {
  await navigator.serviceWorker.register(form.dataset.worker);
  const { pushManager } = await navigator.serviceWorker.ready;
  const options = { userVisibleOnly: true, applicationServerKey: form.dataset.key };
  try {
    return await pushManager.subscribe(options);
  } catch (error) {
    // Subscribed by a key that the server had before?
    const former = error.name === "InvalidStateError" && (await pushManager.getSubscription());
    if (!former) throw error;
    await former.unsubscribe();
    return pushManager.subscribe(options);
  }
}

async function add(event) {
  event.preventDefault();
  const form = event.target;
  const problem = form.querySelector("[role=alert]");
  problem.hidden = true;
  try {
    form.elements.subscription.value = JSON.stringify(await subscribe(form));
  } catch {
    problem.hidden = false;
    return;
  }
  form.submit();
}

for (const form of document.querySelectorAll("form[data-worker]")) {
  form.addEventListener("submit", add);
}
