// Who speaks: the portrait, the name, the standing label, and the choice of whom to talk to.

import { $, h } from "./dom.js";

export function showPersona(persona) {
  document.title = `${persona.name}, AI avatar · Understudy`;
  $("name").textContent = persona.name;
  $("title").textContent = persona.title;
  $("disclosure").textContent = persona.disclosure;
  $("monogram").textContent = persona.name.split(/\s+/).filter((word) => /^\p{Lu}/u.test(word)).slice(-2).map((word) => word[0]).join("");
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
  picture.src = persona.portrait;
}

/** `choose(id)` is called for another persona. */
export function showChoice(personas, chosen, choose) {
  const nav = $("personas");
  nav.hidden = personas.length < 2;
  nav.replaceChildren(...personas.map((persona) => {
    const button = h("button", { type: "button", class: "person", "aria-current": persona.id === chosen ? "true" : null, onclick: () => choose(persona.id) },
      face(persona), h("span", { text: persona.name }));
    return button;
  }));
}

function face(persona) {
  const image = h("img", { src: persona.portrait, alt: "", width: 28, height: 28 });
  image.addEventListener("error", () => image.remove());
  return image;
}

/** What the newest question is at, shown on the portrait. */
export function showDoing(words) {
  $("doing").hidden = !words;
  $("doing").textContent = words;
  $("frame").classList.toggle("working", Boolean(words));
}
