// Fetches the page again and puts each section that changed in place of the old one.
const EVERY_MS = 1000;
const hold = document.getElementById("hold"), live = document.getElementById("live");

function say(text, kind) {
  if (live.textContent !== text) live.textContent = text; // a status region: only changes are read out
  live.className = kind;
}

function held() {
  return hold.getAttribute("aria-pressed") === "true";
}

hold.addEventListener("click", () => {
  hold.setAttribute("aria-pressed", String(!held()));
  say(held() ? "Held" : "Live", held() ? "held" : "");
});

async function refresh() {
  if (held() || document.hidden) return;
  try {
    const answer = await fetch("/");
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (held()) return;
    for (const section of fresh.querySelectorAll("main > section")) {
      const old = document.getElementById(section.id);
      // Not under the focus or a selection: keys and readers keep their place.
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
