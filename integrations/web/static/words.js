// What the page says about work that is going on.

const STAGES = {
  sending: "Sending…",
  received: "Waiting for its turn…",
  waiting: "Waiting for its turn…",
  thinking: "Thinking…",
  writing: "Writing…",
  speaking: "Speaking",
  filming: "Filming",
};

export function stageWords(stage, progress) {
  const words = STAGES[stage] ?? "Working…";
  if (words.endsWith("…")) return words;
  return progress == null ? `${words}…` : `${words} ${Math.floor(progress * 100)} %`;
}

export const MEDIA = {
  text: { label: "Text", icon: "text" },
  voice: { label: "Voice", icon: "voice", again: "Hear it" },
  video: { label: "Video", icon: "video", again: "See it" },
};

export const LOST = "The connection is gone. I am trying again; nothing is lost.";
export const OFFLINE = "You are offline. What you send now goes out as soon as you are back.";
