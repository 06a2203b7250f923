// One question and its answer on the page: what was asked, what happens, the words, the recording, what to do with them.

import { post } from "./api.js";
import { announce, h, icon, newId } from "./dom.js";
import { follow } from "./live.js";
import { actions, failure, notes } from "./answer.js";
import { busy, card } from "./player.js";
import { stageWords } from "./words.js";

export class Exchange {
  /**
   * `persona` as /api/me gives it; `page` {doing(exchange, words), edit(text), ask(text, medium), keep(exchange)}.
   * A stored exchange is given as `stored`.
   */
  constructor({ text, medium, persona, page, stored = null }) {
    Object.assign(this, { text, medium, persona, page });
    this.id = newId();
    this.turnId = stored?.turn_id ?? null;
    this.last = "0"; // the last event that was seen
    this.awaited = new Map(); // marks of what was asked for -> whether its beginning was seen
    this.clips = new Map();
    this.wishes = new Set(); // media asked for by a press in this page: they play by themselves
    this.coming = new Set(); // media asked for, not yet confirmed
    this.answer = null;
    this.build();
    if (stored) this.settle(stored);
  }

  build() {
    this.words = h("div", { class: "words" });
    this.notice = h("p", { class: "notice", hidden: true });
    this.status = h("div", { class: "status", hidden: true });
    this.recordings = h("div", { class: "recordings" });
    this.notes = null; // kept, so that notes that were opened stay open
    this.after = h("div", { class: "after" });
    this.reply = h("article", { class: "reply", lang: this.persona.language, "aria-label": `Answer of the AI avatar of ${this.persona.name}`, hidden: true },
      h("p", { class: "by" }, h("span", { text: this.persona.name }), h("span", { class: "ai", text: "AI avatar" })),
      this.words, this.notice, this.status, this.recordings, this.after);
    this.element = h("li", { class: "exchange" },
      h("div", { class: "asked" }, h("p", { class: "unseen", text: "You asked:" }), h("p", { class: "bubble", text: this.text })),
      this.reply);
  }

  // ---- asking

  async send() {
    this.wishes.add(this.medium);
    this.work("sending");
    try {
      const { turn_id } = await post("/api/messages", { id: this.id, persona: this.persona.id, text: this.text, medium: this.medium });
      this.turnId = turn_id;
      this.await("first", true);
    } catch (trouble) {
      this.notSent(trouble);
    }
  }

  notSent(trouble) {
    this.quiet();
    this.unsent = trouble.passing;
    this.reply.hidden = false;
    this.after.replaceChildren(failure(trouble.message), h("div", { class: "actions" }, this.wayOut(trouble)));
    announce(trouble.message);
  }

  wayOut(trouble) {
    const button = (words, onclick) => h("button", { class: "do", type: "button", onclick }, icon("again"), words);
    if (trouble.passing) return button("Send again", () => this.resend());
    if (trouble.status === 401) return button("Load the page again", () => location.reload());
    return button("Change the question", () => {
      this.element.remove();
      this.page.edit(this.text);
    });
  }

  /** The same id again: the server knows whether it has this question already. */
  resend() {
    this.unsent = false;
    this.after.replaceChildren();
    this.send();
  }

  /** "Hear it", "See it": the same words in a richer medium. */
  async again(medium) {
    const mark = newId();
    this.wishes.add(medium);
    this.coming.add(medium);
    this.offer();
    this.work("waiting", null, medium);
    try {
      await post(`/api/turns/${this.answer.turn_id}/again`, { medium, mark });
      this.await(mark, false, medium);
    } catch (trouble) {
      if (!this.awaited.size) this.quiet();
      this.offer();
      this.after.prepend(failure(trouble.message));
      announce(trouble.message);
    } finally {
      this.coming.delete(medium);
    }
  }

  // ---- following

  await(mark, seen, medium = this.medium) {
    this.awaited.set(mark, { seen, medium });
    this.page.keep(this);
    this.stop ??= follow(this.turnId, (kind, data, last) => {
      this.last = last;
      this.apply(kind, data);
    }, () => this.gaveUp(), this.last);
    if (seen && !this.answer) this.work("waiting");
  }

  arrived(mark) {
    this.awaited.delete(mark);
    this.page.keep(this);
    if (this.awaited.size) return;
    this.stop?.();
    this.stop = null;
    this.quiet();
    this.offer();
  }

  apply(kind, data) {
    if (kind === "status") this.work(data.stage, data.progress);
    if (kind === "reset") this.reset();
    if (kind === "delta" && !this.answer) this.append(data.text);
    if (kind === "final") this.final(data);
    if (kind === "clip") this.clip(data);
    if (kind === "again" && this.awaited.has(data.mark)) this.awaited.get(data.mark).seen = true;
    if (kind === "settled") this.settle(data);
    if (kind === "done") this.done();
  }

  reset() {
    this.answer = null;
    this.words.replaceChildren();
    this.after.replaceChildren();
  }

  append(text) {
    this.reply.hidden = false;
    this.words.append(h("span", { class: "fresh", text }));
    this.page.grown();
  }

  final(answer) {
    const before = this.answer, news = !before && this.stop;
    this.answer = answer;
    this.reply.hidden = false;
    this.words.textContent = answer.text;
    this.words.classList.toggle("apology", answer.failed);
    if (!before || JSON.stringify(before.citations) !== JSON.stringify(answer.citations)) this.notes = notes(answer.citations);
    this.notice.textContent = answer.notice;
    this.notice.hidden = !answer.notice;
    this.offer();
    this.recordNext();
    if (news) announce(`${this.persona.name}, AI avatar: ${answer.text}`);
    this.page.grown();
  }

  /** The words stand; what was asked for besides comes now. */
  recordNext() {
    const [next] = [...this.awaited.values()].filter(({ seen, medium }) => seen && medium !== "text" && !this.clips.has(medium));
    if (next && !this.answer.failed) this.work(next.medium === "video" ? "filming" : "speaking", null, next.medium);
  }

  /** What is stored, shown: from history, or when the events are gone. */
  settle(stored) {
    if (stored.answer && this.answer?.text !== stored.answer.text) this.final(stored.answer);
    for (const clip of stored.clips) this.clip(clip);
    for (const [mark, { medium }] of this.awaited) {
      if (stored.answer && (medium === "text" || this.clips.has(medium) || stored.answer.failed)) this.arrived(mark);
    }
  }

  done() {
    for (const [mark, { seen }] of this.awaited) {
      if (!seen) continue;
      this.arrived(mark);
      break;
    }
  }

  clip(clip) {
    if (this.clips.has(clip.medium)) return;
    const made = card(clip, this.persona.name, this.persona.language);
    this.clips.set(clip.medium, made);
    this.reply.hidden = false;
    this.recordings.prepend(made.element);
    this.quiet();
    this.offer();
    this.page.grown();
    if (!this.wishes.delete(clip.medium) || document.hidden || busy()) return;
    made.play();
    this.page.look(made.element);
  }

  gaveUp() {
    this.stop = null;
    this.awaited.clear();
    this.page.keep(this);
    this.quiet();
    this.reply.hidden = false;
    if (this.answer) this.offer();
    else this.after.replaceChildren(failure("No answer arrived. Please ask again."), this.askAgain());
  }

  // ---- showing

  work(stage, progress = null, medium = this.working) {
    this.working = medium ?? this.medium;
    const said = stageWords(stage, progress);
    this.reply.hidden = false;
    this.status.hidden = false;
    this.element.setAttribute("aria-busy", "true");
    const bar = progress == null ? null : h("progress", { max: 1, value: progress, "aria-label": said });
    const filming = stage === "filming" || (this.answer && this.working === "video");
    this.status.className = `status${filming && this.answer ? " screening" : ""}`;
    this.status.replaceChildren(h("p", {}, h("span", { class: "pulse", "aria-hidden": "true" }), said), ...(bar ? [bar] : []));
    this.page.doing(this, said);
    this.page.grown();
  }

  quiet() {
    this.status.hidden = true;
    this.status.replaceChildren();
    this.working = null;
    this.element.removeAttribute("aria-busy");
    this.page.doing(this, "");
  }

  askAgain() {
    return h("div", { class: "actions" },
      h("button", { class: "do", type: "button", onclick: () => this.page.ask(this.text, this.medium) }, icon("again"), "Ask again"));
  }

  /** Everything under the words. */
  offer() {
    if (!this.answer) return;
    const focused = this.after.contains(document.activeElement) ? document.activeElement.dataset.does : null;
    if (this.answer.failed) this.after.replaceChildren(this.askAgain());
    else {
      const coming = [...this.coming, ...[...this.awaited.values()].map(({ medium }) => medium)];
      this.after.replaceChildren(...[this.notes, actions(this, coming)].filter(Boolean));
    }
    if (focused) this.after.querySelector(`[data-does="${focused}"]`)?.focus();
  }
}
