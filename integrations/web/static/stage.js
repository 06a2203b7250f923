// Who speaks: the portrait, the name, the standing label, and the choice of whom to talk to.

import { $, h } from "./dom.js";

export function showPersona(persona) {
  document.title = `${persona.name}, AI avatar · Understudy`;
  $("name").textContent = persona.name;
  $("title").textContent = persona.title;
  $("disclosure").textContent = persona.disclosure;
  $("opening").textContent = persona.disclosure;
  $("monogram").textContent = initials(persona.name);
  portrait(persona);
}

function portrait(persona) {
  const picture = $("portrait"), glow = $("ambient");
  picture.hidden = glow.hidden = true;
  picture.onload = () => {
    picture.hidden = glow.hidden = false;
    glow.src = picture.src;
  };
  picture.alt = `Portrait of ${persona.name}`;
  if (persona.portrait) picture.src = persona.portrait;
  else picture.removeAttribute("src"); // not agreed to: the initials stand there
}

/** `choose(id)` is called for another persona. */
export function showChoice(personas, chosen, choose) {
  const nav = $("personas");
  nav.hidden = personas.length < 2;
  nav.replaceChildren(...personas.map((persona) => {
    const button = h("button", { type: "button", class: "person", "aria-current": persona.id === chosen ? "true" : null, "aria-label": persona.name, title: persona.name, onclick: () => choose(persona.id) },
      face(persona), h("span", { text: persona.name }));
    return button;
  }));
}

function face(persona) {
  if (!persona.portrait) return monogram(persona);
  const image = h("img", { src: persona.portrait, alt: "", width: 28, height: 28 });
  image.addEventListener("error", () => image.replaceWith(monogram(persona)));
  return image;
}

function monogram(persona) {
  return h("i", { "aria-hidden": "true", text: initials(persona.name) });
}

function initials(name) {
  return name.split(/\s+/).filter((word) => /^\p{L}/u.test(word)).map((word) => word[0]).filter((_, at, all) => at === 0 || at === all.length - 1).join("").toUpperCase();
}

/** What the newest question is at, shown on the portrait. */
export function showDoing(words) {
  $("doing").hidden = !words;
  $("doing").textContent = words;
  $("frame").classList.toggle("working", Boolean(words));
}
