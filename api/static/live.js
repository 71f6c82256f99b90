// What stands open is fetched anew when the server says so, and every half minute: by a page that is seen, by no other.
(() => {
  "use strict";
  const heart = document.querySelector("[data-live]");
  if (!heart) return;
  const TICK = 30000;
  // A browser opens six connections to a host over HTTP/1.1, whatever the number of its windows: half are left free.
  const MOST = 3;
  let stream = null, leave = null, ticks = 0;
  const fresh = () => { heart.dispatchEvent(new CustomEvent("fresh", { bubbles: true })); };
  const open = () => {
    let before = false;
    stream = new EventSource(heart.dataset.live);
    stream.addEventListener("fresh", fresh);
    // What happened between two streams was told to nobody.
    stream.addEventListener("open", () => { if (before) fresh(); before = true; });
    stream.addEventListener("error", () => { if (stream && stream.readyState === EventSource.CLOSED) close(); });
  };
  const close = () => {
    if (stream) stream.close();
    if (leave) leave();
    stream = leave = null;
  };
  const seek = (no) => navigator.locks.request("live-" + no, { ifAvailable: true }, (lock) => {
    if (!lock) return no + 1 < MOST ? seek(no + 1) : null;
    if (document.hidden || stream) return null;
    open();
    return new Promise((done) => { leave = done; });
  });
  // Without locks (an old browser, or a plain address) only pages that are seen count.
  const begin = () => {
    if (document.hidden || stream) return;
    if (navigator.locks) seek(0).catch(() => null); else open();
  };
  const seen = () => { if (document.hidden) close(); else { begin(); fresh(); } };
  document.addEventListener("visibilitychange", seen);
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => { if (event.persisted) seen(); });
  setInterval(() => {
    if (document.hidden) return;
    begin();
    ticks += 1;
    // With a stream only what time alone changes is missing: every second time will do.
    if (!stream || stream.readyState !== EventSource.OPEN || ticks % 2 === 0) fresh();
  }, TICK);
  begin();
})();
