// Playing an answer. One thing plays at a time. On a wide screen the film plays where the portrait is: the
// portrait begins to speak. On a narrow one it plays in the thread.

import { $, clockTime, h, icon, swapIcon } from "./dom.js";

const WIDE = matchMedia("(min-width: 900px)");
const HOVER = matchMedia("(hover: hover) and (pointer: fine)");
const USUAL_WIDTH = 440;
const LETTER = 9; // pixels that a letter of the captions takes, about

let playing = null;

/** The card of a recording. `play()` starts it; the browser may refuse until the person has pressed something. */
export function card(clip, name, language) {
  return clip.medium === "video" ? new Film(clip, name, language) : new Sound(clip, name);
}

/** Whether something can be heard now. */
export const busy = () => Boolean(playing && !playing.media.paused);

/** Stop whatever plays (another persona steps forward). */
export function hush() {
  playing?.media.pause();
  playing?.leaveStage?.();
}

class Recording {
  attach(media) {
    this.media = media;
    media.addEventListener("play", () => {
      if (playing && playing !== this) hush();
      playing = this;
      this.show(true);
    });
    media.addEventListener("pause", () => this.show(false));
    media.addEventListener("ended", () => this.ended());
    media.addEventListener("error", () => this.broken());
  }

  async play() {
    try {
      await this.media.play();
      return true;
    } catch {
      return false; // not allowed to begin by itself: the button is there
    }
  }

  toggle() {
    if (this.media.paused) this.play();
    else this.media.pause();
  }

  ended() { this.show(false); }

  broken() {
    if (this.element.querySelector(".broken")) return;
    this.element.append(h("p", { class: "broken", role: "alert", text: "This recording cannot be played. Load the page again to have another try." }));
  }
}

class Film extends Recording {
  constructor(clip, name, language) {
    super();
    this.button = h("button", { class: "play", type: "button", onclick: () => this.toggle() },
      icon("play"), h("span", { text: "Watch" }), h("span", { class: "length", text: clockTime(clip.duration) }));
    this.button.setAttribute("aria-label", `Watch ${name} say this, ${clockTime(clip.duration)} long`);
    this.screen = h("div", { class: "screen" },
      clip.poster && h("img", { class: "poster", src: clip.poster, alt: "", width: clip.width, height: clip.height, loading: "lazy" }));
    this.attach(h("video", {
      playsinline: true, preload: "none", poster: clip.poster, width: clip.width || null, height: clip.height || null,
      "aria-label": `Video: the AI avatar of ${name} says this answer`, src: clip.media,
    }, clip.captions && h("track", {
      kind: "captions", src: clip.captions, srclang: language.split("-")[0], label: "Captions", default: true,
    })));
    for (const track of this.media.textTracks) track.mode = "showing";
    this.media.querySelector("track")?.addEventListener("load", () => this.placeCaptions());
    this.element = h("figure", { class: "clip film" }, this.screen, this.button);
    this.screen.append(this.media);
    this.media.hidden = true;
    this.media.tabIndex = 0;
    for (const [event, shown] of [["pointerenter", true], ["focus", true], ["pointerleave", false], ["blur", false]]) {
      this.media.addEventListener(event, () => { this.media.controls = shown || !HOVER.matches; });
    }
    WIDE.addEventListener("change", () => this.moved());
  }

  async play() {
    if (playing && playing !== this) hush();
    this.media.hidden = false;
    this.media.controls = !HOVER.matches;
    if (WIDE.matches) this.enterStage();
    const begun = await super.play();
    if (!begun) this.leaveStage();
    return begun;
  }

  /** Two lines up from the bottom: below the chin, above the "AI-generated" that is in the picture. */
  placeCaptions() {
    const fits = (this.media.clientWidth || USUAL_WIDTH) / LETTER;
    for (const cue of this.media.textTracks[0].cues ?? []) {
      const lines = cue.text.split("\n").reduce((sum, line) => sum + Math.ceil(line.length / fits), 0);
      cue.line = -2 - lines;
    }
  }

  enterStage() {
    if (this.media.parentElement === $("slot")) return;
    $("slot").replaceChildren(this.media);
    this.element.classList.add("on-stage");
    $("frame").classList.add("playing");
  }

  leaveStage() {
    if (this.media.parentElement === $("slot")) {
      this.screen.append(this.media);
      $("frame").classList.remove("playing");
    }
    this.element.classList.remove("on-stage");
    this.media.hidden = true;
  }

  /** The window was made wide or narrow while the film runs: go on in the other place. */
  async moved() {
    if (this.media.hidden || this.media.paused) return this.leaveStage();
    this.leaveStage();
    await this.play();
    return undefined;
  }

  ended() {
    if (document.fullscreenElement === this.media) document.exitFullscreen();
    this.leaveStage();
    this.media.currentTime = 0;
    this.show(false, "Watch again");
  }

  show(running, words = "Watch") {
    swapIcon(this.button, running ? "pause" : words === "Watch" ? "play" : "again");
    this.button.querySelector("span").textContent = running ? "Pause" : this.media.currentTime > 0 && words === "Watch" ? "Go on" : words;
    this.element.classList.toggle("running", running);
  }
}

class Sound extends Recording {
  constructor(clip, name) {
    super();
    this.length = clip.duration;
    this.button = h("button", { class: "round", type: "button", "aria-label": `Play the voice of ${name}`, onclick: () => this.toggle() }, icon("play"));
    this.time = h("span", { class: "length", text: clockTime(clip.duration) });
    this.slider = h("input", { type: "range", min: 0, max: Math.max(clip.duration, 0.1), step: 0.1, value: 0, "aria-label": "Position in the recording" });
    this.slider.addEventListener("input", () => { this.media.currentTime = Number(this.slider.value); });
    this.attach(h("audio", { preload: "none", src: clip.media }));
    this.media.addEventListener("timeupdate", () => this.moved());
    this.element = h("figure", { class: "clip sound" }, this.button, this.slider, this.time, this.media);
  }

  moved() {
    const at = this.media.currentTime;
    this.slider.value = at;
    this.slider.setAttribute("aria-valuetext", `${clockTime(at)} of ${clockTime(this.length)}`);
    this.slider.style.setProperty("--played", `${(100 * at) / Math.max(this.length, 0.1)}%`);
    this.time.textContent = clockTime(at > 0 ? at : this.length);
  }

  show(running) {
    swapIcon(this.button, running ? "pause" : "play");
    this.button.setAttribute("aria-label", running ? "Pause" : "Play the voice");
    $("frame").classList.toggle("speaking", running);
    this.element.classList.toggle("running", running);
  }

  ended() {
    this.media.currentTime = 0;
    this.moved();
    this.show(false);
  }
}
