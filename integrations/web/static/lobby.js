// The page: who is here, whom they talk to, and one thread per persona.

import { get, post, put, Trouble } from "./api.js";
import { Composer } from "./composer.js";
import { $, announce, h, icon, stored } from "./dom.js";
import { Exchange } from "./exchange.js";
import { watchLine } from "./live.js";
import { hush } from "./player.js";
import { showChoice, showDoing, showPersona } from "./stage.js";
import { LOST, OFFLINE } from "./words.js";

const NEAR = 120; // pixels from the end within which the thread follows what is written
const POINTER = matchMedia("(pointer: fine)");
const going = stored(sessionStorage, "going", {});

class Page {
  async open() {
    this.threads = new Map();
    this.me = await get("/api/me");
    this.composer = new Composer({
      longest: this.me.longest,
      ask: (text, medium) => this.ask(text, medium),
      preferred: (medium) => this.prefer({ medium }),
    });
    if (!this.me.personas.length) return this.nobody();
    $("scroll").addEventListener("scroll", () => this.scrolled(), { passive: true });
    $("latest").addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => this.grown()).observe($("scroll"));
    await this.choose(this.me.persona, false);
    document.body.classList.remove("booting");
    if (POINTER.matches) $("question").focus();
    return undefined;
  }

  nobody() {
    document.body.classList.remove("booting");
    $("welcome-title").textContent = "Nobody is here yet.";
    this.composer.trouble("No persona has been loaded. Load one with: understudy persona load DIR");
  }

  // ---- whom

  async choose(id, tell = true) {
    hush();
    this.persona = this.me.personas.find((each) => each.id === id);
    showPersona(this.persona);
    showChoice(this.me.personas, id, (other) => this.choose(other));
    this.composer.showPersona(this.persona, this.me.medium);
    this.welcome();
    const thread = this.thread(id);
    for (const [key, each] of this.threads) each.list.hidden = key !== id;
    this.doing(thread.busy, thread.busy?.said ?? "");
    this.filled();
    if (tell) {
      announce(`You talk to the AI avatar of ${this.persona.name}.`);
      this.prefer({ persona: id });
    }
    if (!thread.loaded) await this.load(thread);
    this.toEnd();
  }

  thread(id) {
    if (!this.threads.has(id)) {
      const list = h("ol", { class: "thread", role: "list" });
      $("threads").append(list);
      this.threads.set(id, { id, list, exchanges: [], loaded: false, busy: null });
    }
    return this.threads.get(id);
  }

  async prefer(choice) {
    Object.assign(this.me, choice);
    try {
      await put("/api/me", choice);
    } catch { /* it is still chosen on this page, and goes along with every question */ }
  }

  welcome() {
    $("welcome-title").textContent = `Ask ${this.persona.name} a question`;
    $("suggestions").replaceChildren(...this.persona.suggestions.map((text) =>
      h("li", {}, h("button", { type: "button", class: "chip", text, onclick: () => this.suggest(text) }))));
  }

  suggest(text) {
    this.ask(text, this.composer.medium);
    if (POINTER.matches) $("question").focus({ preventScroll: true }); // on a phone that would open the keyboard
  }

  // ---- what was said

  async load(thread) {
    try {
      const { exchanges } = await get(`/api/history?persona=${encodeURIComponent(thread.id)}`);
      thread.loaded = true;
      const persona = this.me.personas.find((each) => each.id === thread.id);
      const old = exchanges.filter((each) => !thread.exchanges.some(({ turnId }) => turnId === each.turn_id))
        .map((each) => this.restore(each, persona));
      thread.exchanges.unshift(...old);
      thread.list.prepend(...old.map(({ element }) => element));
      this.filled();
    } catch (trouble) {
      this.composer.trouble(trouble.message);
    }
  }

  /** From history; what is still being made is followed on. */
  restore(each, persona) {
    const exchange = new Exchange({ text: each.text, medium: each.medium, persona, page: this, stored: each });
    const kept = going.get()[each.turn_id] ?? {};
    if (!each.answer) kept.first = { seen: true, medium: each.medium };
    for (const [mark, { seen, medium }] of Object.entries(kept)) {
      if (!exchange.clips.has(medium) || !each.answer) exchange.await(mark, seen, medium);
    }
    return exchange;
  }

  /** Keep across a reload what an answer still waits for. */
  keep(exchange) {
    const { [exchange.turnId]: _, ...rest } = going.get();
    const waiting = [...exchange.awaited].map(([mark, { medium }]) => [mark, { seen: mark === "first", medium }]);
    going.set(waiting.length ? { ...rest, [exchange.turnId]: Object.fromEntries(waiting) } : rest);
  }

  // ---- asking

  ask(text, medium) {
    if (text.startsWith("/")) return this.order(text.slice(1));
    const thread = this.thread(this.persona.id);
    const exchange = new Exchange({ text, medium, persona: this.persona, page: this });
    thread.exchanges.push(exchange);
    thread.list.append(exchange.element);
    this.filled();
    exchange.send();
    return this.toEnd();
  }

  edit(text) {
    this.composer.edit(text);
    this.filled();
  }

  /** "/help", "/status", "/reply video", "/with NAME" */
  async order(text) {
    const said = h("li", { class: "order" }, h("p", { class: "command", text: `/${text}` }));
    this.thread(this.persona.id).list.append(said);
    this.filled();
    try {
      const answer = (await post("/api/commands", { text })).text;
      said.append(h("p", { class: "told", text: answer }));
      announce(answer);
      const before = this.persona.id;
      this.me = await get("/api/me");
      this.composer.showPersona(this.persona, this.me.medium);
      if (this.me.persona !== before) await this.choose(this.me.persona, false);
    } catch (trouble) {
      said.append(h("p", { class: "failure", text: trouble.message }));
    }
    this.toEnd();
  }

  // ---- what is seen

  filled() {
    document.body.classList.toggle("empty", !this.thread(this.persona.id).list.childElementCount);
  }

  doing(exchange, said) {
    const id = exchange?.persona.id ?? this.persona.id;
    const thread = this.thread(id);
    if (exchange) exchange.said = said;
    if (said) thread.busy = exchange;
    else if (thread.busy === exchange) thread.busy = thread.exchanges.findLast((each) => each.said) ?? null;
    if (id === this.persona.id) showDoing(thread.busy?.said ?? "");
  }

  grown() {
    if (this.atEnd !== false) this.toEnd();
    else this.scrolled();
  }

  /** Bring what begins to play into sight, whole where it fits. */
  look(element) {
    if (this.atEnd === false) return;
    requestAnimationFrame(() => {
      const area = $("scroll").getBoundingClientRect(), box = element.getBoundingClientRect();
      if (box.top < area.top) $("scroll").scrollTop -= area.top - box.top + 12;
    });
  }

  scrolled() {
    const area = $("scroll");
    this.atEnd = area.scrollHeight - area.scrollTop - area.clientHeight < NEAR;
    $("latest").hidden = this.atEnd;
  }

  toEnd() {
    $("scroll").scrollTop = document.body.classList.contains("empty") ? 0 : $("scroll").scrollHeight;
    this.atEnd = true;
    $("latest").hidden = true;
  }

  line(broken) {
    const words = navigator.onLine ? (broken ? LOST : "") : OFFLINE;
    $("connection").textContent = words;
    $("connection").hidden = !words;
  }

  backOnline() {
    this.line(false);
    for (const { exchanges } of this.threads.values()) {
      for (const exchange of exchanges) if (exchange.unsent) exchange.resend();
    }
  }
}

function cannotOpen(trouble) {
  const words = trouble instanceof Trouble ? trouble.message : "This page could not start.";
  $("trouble").replaceChildren(words, " ", h("button", { type: "button", class: "do", onclick: () => location.reload() }, icon("again"), "Load again"));
  $("trouble").hidden = false;
  document.body.classList.remove("booting");
}

/** Where a keyboard covers the page instead of making it smaller (iOS), the page makes itself smaller. */
function stayAboveKeyboard(view) {
  const covered = innerHeight - view.height;
  document.documentElement.style.setProperty("--height", covered > 80 && view.scale === 1 ? `${view.height}px` : "100dvh");
  if (covered > 80) scrollTo(0, 0);
}

window.visualViewport?.addEventListener("resize", () => stayAboveKeyboard(window.visualViewport));
const page = new Page();
watchLine((broken) => page.line(broken));
addEventListener("offline", () => page.line(true));
addEventListener("online", () => page.backOnline());
page.open().catch(cannotOpen);
