// Following a turn: Server-Sent Events that go on where the line broke.

const KINDS = ["status", "reset", "delta", "final", "clip", "say", "again", "settled", "done"];
const MOST_AT_ONCE = 2; // a browser opens six connections to one server, in all tabs together
const GIVE_UP_AFTER = 5 * 60_000;
const TOLD_AFTER = 2_500; // a line that is back at once is not worth a word

const waiting = [];
const lost = new Set();
let open = 0;
let telling = 0;
let onLine = () => {};

/** `listener(true)` when a line breaks, `listener(false)` when all are back. */
export function watchLine(listener) {
  onLine = listener;
}

/**
 * Follow a turn from the event `after` until the returned function is called. `on(kind, data, id)`; `gaveUp()` when
 * nothing came for minutes.
 */
export function follow(turnId, on, gaveUp, after = "0") {
  const line = new Line(turnId, on, gaveUp, after);
  if (open < MOST_AT_ONCE) line.start();
  else waiting.push(line);
  return () => line.stop();
}

class Line {
  constructor(turnId, on, gaveUp, last) {
    Object.assign(this, { turnId, on, gaveUp, last, pause: 1000, started: false });
  }

  start() {
    this.started = true;
    open += 1;
    this.connect();
    this.patience();
  }

  connect() {
    this.source = new EventSource(`/api/turns/${this.turnId}/events?after=${encodeURIComponent(this.last)}`);
    this.source.onopen = () => {
      this.pause = 1000;
      this.line(false);
    };
    // The browser reconnects by itself with Last-Event-ID, except after an answer that was no stream.
    this.source.onerror = () => {
      this.line(true);
      if (this.source.readyState !== EventSource.CLOSED) return;
      this.retry = setTimeout(() => this.connect(), this.pause);
      this.pause = Math.min(15_000, this.pause * 2);
    };
    for (const kind of KINDS) {
      this.source.addEventListener(kind, (event) => {
        this.last = event.lastEventId || this.last;
        this.patience();
        this.on(kind, JSON.parse(event.data), this.last);
      });
    }
  }

  patience() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      this.stop();
      this.gaveUp();
    }, GIVE_UP_AFTER);
  }

  line(broken) {
    if (broken) lost.add(this);
    else lost.delete(this);
    if (lost.size) {
      telling ||= setTimeout(() => onLine(true), TOLD_AFTER);
      return;
    }
    clearTimeout(telling);
    telling = 0;
    onLine(false);
  }

  stop() {
    clearTimeout(this.silence);
    clearTimeout(this.retry);
    this.source?.close();
    if (this.started) {
      this.started = false;
      open -= 1;
      this.line(false);
      waiting.shift()?.start();
    } else if (waiting.includes(this)) {
      waiting.splice(waiting.indexOf(this), 1);
    }
  }
}
