// Requests to our own server. Every failure becomes a Trouble whose message may be shown as it is.

export class Trouble extends Error {
  /** `status` 0: the server could not be reached, so trying again later makes sense. */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
  get passing() { return this.status === 0 || this.status >= 500; }
}

const UNREACHABLE = "I cannot reach Understudy just now. Your words are kept here.";
const STRANGE = "Something went wrong on my side. Please try again in a moment.";

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body);
export const put = (path, body) => call("PUT", path, body);

async function call(method, path, body) {
  const init = { method, credentials: "same-origin", signal: AbortSignal.timeout(20_000) };
  if (body !== undefined) {
    init.headers = { "Content-Type": "application/json" };
    init.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new Trouble(UNREACHABLE, 0);
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Trouble(answer?.error || STRANGE, response.status);
  return answer;
}
