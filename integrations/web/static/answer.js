// What stands under an answer: the notes it rests on, and what the person can do with it.

import { post } from "./api.js";
import { announce, h, icon, stored, swapIcon } from "./dom.js";
import { MEDIA } from "./words.js";

const RATINGS_KEPT = 300;
const ratings = stored(localStorage, "ratings", {});

/** The notes, folded; null when there are none. */
export function notes(citations) {
  if (!citations.length) return null;
  const count = citations.length === 1 ? "1 note" : `${citations.length} notes`;
  return h("details", { class: "notes" },
    h("summary", { "data-does": "notes" }, icon("note"), h("span", { text: `Rests on ${count}` }), icon("open")),
    h("ol", { role: "list" }, ...citations.map(note)));
}

function note(citation) {
  const where = [citation.source, citation.date].filter(Boolean).join(" · ");
  return h("li", {},
    h("p", { class: "note-title", text: citation.title }),
    h("blockquote", { text: citation.quote }),
    where && h("p", { class: "note-source", text: where }));
}

/** Hear it, See it, copy, thumbs. `coming` are media already on their way. */
export function actions(exchange, coming) {
  return h("div", { class: "actions" },
    ...richer(exchange, coming),
    copyButton(exchange.answer.text),
    ...thumbs(exchange.answer.turn_id));
}

function richer(exchange, coming) {
  const seen = exchange.clips.has("video");
  return exchange.persona.media
    .filter(({ medium, why_not }) => medium !== "text" && !why_not && !exchange.clips.has(medium) && !coming.includes(medium))
    .filter(({ medium }) => !(medium === "voice" && (seen || coming.includes("video"))))
    .map(({ medium }) => h("button", { class: "do", type: "button", "data-does": medium, onclick: () => exchange.again(medium) },
      icon(MEDIA[medium].icon), MEDIA[medium].again));
}

function copyButton(text) {
  const button = h("button", { class: "small", type: "button", "aria-label": "Copy the answer", title: "Copy", "data-does": "copy" }, icon("copy"));
  button.addEventListener("click", async () => {
    if (!(await copy(text))) return;
    announce("Copied.");
    swapIcon(button, "check");
    setTimeout(() => swapIcon(button, "copy"), 1600);
  });
  return button;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { class: "unseen", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

function thumbs(turnId) {
  const given = ratings.get()[turnId] ?? 0;
  const pair = [["up", 1, "Good answer"], ["down", -1, "Bad answer"]].map(([name, value, label]) =>
    h("button", { class: "small", type: "button", "aria-label": label, title: label, "aria-pressed": String(given === value), "data-does": name, "data-value": value }, icon(name)));
  for (const button of pair) button.addEventListener("click", () => rate(turnId, button, pair));
  return pair;
}

async function rate(turnId, button, pair) {
  const value = button.getAttribute("aria-pressed") === "true" ? 0 : Number(button.dataset.value);
  const before = pair.map((each) => each.getAttribute("aria-pressed"));
  for (const each of pair) each.setAttribute("aria-pressed", String(value !== 0 && Number(each.dataset.value) === value));
  try {
    await post(`/api/turns/${turnId}/rating`, { value });
    remember(turnId, value);
  } catch (trouble) {
    pair.forEach((each, index) => each.setAttribute("aria-pressed", before[index]));
    announce(trouble.message);
  }
}

function remember(turnId, value) {
  const { [turnId]: _, ...rest } = ratings.get();
  const kept = Object.entries(value ? { ...rest, [turnId]: value } : rest).slice(-RATINGS_KEPT);
  ratings.set(Object.fromEntries(kept));
}

export function failure(sentence) {
  return h("p", { class: "failure", text: sentence });
}
