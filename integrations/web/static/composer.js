// Writing a question, and choosing how the answer comes.

import { $, h, icon } from "./dom.js";
import { MEDIA } from "./words.js";

const NEARLY_FULL = 0.9;

export class Composer {
  /** `ask(text, medium)`; `preferred(medium)` when the choice changes. */
  constructor({ longest, ask, preferred }) {
    Object.assign(this, { longest, ask, preferred });
    this.field = $("question");
    $("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.submit();
    });
    this.field.addEventListener("input", () => this.changed());
    this.changed();
  }

  get medium() {
    return document.querySelector("input[name=medium]:checked")?.value ?? "text";
  }

  submit() {
    const text = this.field.value.trim();
    if (!text) return this.trouble("Write a question first.");
    if (text.length > this.longest) return this.trouble(`That is ${text.length.toLocaleString("en")} characters; ${this.longest.toLocaleString("en")} can be read. Please ask in fewer words.`);
    this.field.value = "";
    this.changed();
    this.field.focus();
    return this.ask(text, this.medium);
  }

  edit(text) {
    this.field.value = text;
    this.changed();
    this.field.focus();
  }

  trouble(sentence) {
    $("trouble").textContent = sentence;
    $("trouble").hidden = !sentence;
    this.field.toggleAttribute("aria-invalid", Boolean(sentence));
  }

  changed() {
    this.trouble("");
    const length = this.field.value.trim().length;
    $("send").classList.toggle("ready", length > 0);
    $("room").hidden = length < this.longest * NEARLY_FULL;
    $("room").textContent = `${length.toLocaleString("en")} of ${this.longest.toLocaleString("en")}`;
    $("room").classList.toggle("over", length > this.longest);
    if (CSS.supports("field-sizing", "content")) return;
    this.field.style.height = "auto";
    this.field.style.height = `${this.field.scrollHeight}px`;
  }

  /** The choice for this persona; what is not agreed to cannot be chosen, and the hint says why. */
  showPersona(persona, medium) {
    const open = persona.media.filter(({ why_not }) => !why_not).map((each) => each.medium);
    const chosen = open.includes(medium) ? medium : open.at(-1);
    $("question-label").textContent = `Your question to the AI avatar of ${persona.name}`;
    this.field.placeholder = `Ask ${persona.name}`;
    const choices = persona.media.map((each) => this.choice(each, each.medium === chosen));
    $("media").replaceChildren($("media").querySelector("legend"), ...choices);
    const closed = persona.media.filter(({ why_not }) => why_not);
    $("hint").textContent = closed[0]?.why_not ?? "";
    this.trouble("");
  }

  choice({ medium, why_not }, checked) {
    const input = h("input", { type: "radio", name: "medium", value: medium, checked, disabled: Boolean(why_not), class: "unseen", "aria-describedby": why_not ? "hint" : null });
    input.addEventListener("change", () => this.preferred(medium));
    return h("label", { class: "choice", title: why_not || null }, input, icon(MEDIA[medium].icon), h("span", { text: MEDIA[medium].label }));
  }
}
