// Building blocks of the page. Text is always set as text: nothing that anybody wrote is ever read as markup.

const SVG = "http://www.w3.org/2000/svg";

export const $ = (id) => document.getElementById(id);

/** An element. `props`: "on<event>" listeners, `text`, else attributes (false or null leaves one out). */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

export function swapIcon(button, name) {
  button.querySelector(".icon").replaceWith(icon(name));
}

/** Say something to a screen reader, once it has finished what it is saying. */
export function announce(text) {
  const region = $("announce");
  region.textContent = "";
  setTimeout(() => { region.textContent = text; }, 50);
}

/** A random id; `crypto.randomUUID` exists on secure addresses only. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** 75 -> "1:15" */
export function clockTime(seconds) {
  const whole = Math.max(0, Math.round(seconds || 0));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** What the browser keeps for this page; a browser that keeps nothing is no reason to fail. */
export function stored(storage, key, fallback) {
  const name = `understudy.${key}`;
  return {
    get() {
      try { return JSON.parse(storage.getItem(name)) ?? fallback; } catch { return fallback; }
    },
    set(value) {
      try { storage.setItem(name, JSON.stringify(value)); } catch { /* private mode */ }
    },
  };
}
