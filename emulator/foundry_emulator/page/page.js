// Fetches the page again and replaces each section that changed.
const EVERY_MS = 1000;
const pause = document.getElementById("pause"), live = document.getElementById("live");

function say(text, kind) {
  if (live.textContent !== text) live.textContent = text; // a status region: screen readers read every change
  live.className = kind;
}

function paused() {
  return pause.getAttribute("aria-pressed") === "true";
}

pause.addEventListener("click", () => {
  pause.setAttribute("aria-pressed", String(!paused()));
  say(paused() ? "Paused" : "Live", paused() ? "paused" : "");
});

async function refresh() {
  if (paused() || document.hidden) return;
  try {
    const answer = await fetch("/");
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (paused()) return;
    for (const section of fresh.querySelectorAll("main > section")) {
      const old = document.getElementById(section.id);
      // Not a section with the focus or a selection: the reader keeps the place.
      const busy = old.contains(document.activeElement) || (!getSelection().isCollapsed && getSelection().containsNode(old, true));
      if (!busy && old.innerHTML !== section.innerHTML) old.replaceWith(section);
    }
    say("Live", "");
  } catch {
    say("Not running", "gone");
  }
}

async function run() {
  await refresh();
  setTimeout(run, EVERY_MS);
}
setTimeout(run, EVERY_MS);
