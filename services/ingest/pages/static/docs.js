// Every piece of code can be copied. Try It! sends what the form says, shows what comes back, and follows the batch.
"use strict";
const $ = (id) => document.getElementById(id);
const members = ["image_path", "product_type", "hex_color_label", "category"];

function addCopyButtons() {
  for (const code of document.querySelectorAll("pre")) {
    const around = document.createElement("div");
    around.className = "code";
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy: ${code.getAttribute("aria-label") ?? "code"}`);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1200);
    });
    code.replaceWith(around);
    around.append(code, button);
  }
}

// Numbers that belong together stand on one line.
function pretty(document_) {
  return JSON.stringify(document_, null, 2).replace(/\[[\s\d.,e-]+\]/g, (list) => list.replace(/\s+/g, " "));
}

function show(id, document_) {
  $(id).textContent = typeof document_ === "string" ? document_ : pretty(document_);
}

async function submit(key, images) {
  const began = performance.now();
  const reply = await fetch("/inference/color-classification", {
    method: "POST",
    headers: { "x-vody-api-key": key, "content-type": "application/json" },
    body: JSON.stringify(images),
  });
  const body = await reply.json();
  $("took").textContent = `${reply.status} in ${Math.round(performance.now() - began)} ms`;
  show("reply", body);
  return { ok: reply.ok, id: body.inference_id, page: /<([^>]*)>/.exec(reply.headers.get("link") ?? "")?.[1] };
}

// EventSource sends no headers, and the key belongs into none of the addresses.
async function* eventsOf(key, id) {
  const reply = await fetch(`/inference/${id}/events`, { headers: { "x-vody-api-key": key } });
  if (!reply.ok) throw new Error(`the progress could not be read (${reply.status})`);
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const fields = text.slice(0, end).split("\n").map((line) => line.split(/: (.*)/s));
      text = text.slice(end + 2);
      const event = Object.fromEntries(fields);
      if (event.data) yield { name: event.event, data: JSON.parse(event.data) };
    }
  }
}

// Pictures of other hosts stay where they are: the policy of the page lets none in.
function showPicture(address) {
  const isOurs = URL.canParse(address) && new URL(address).origin === location.origin;
  $("shown").hidden = !isOurs;
  if (isOurs) $("picture").src = address;
}

function showResult({ image_path, classification, error }) {
  showPicture(image_path);
  $("found").hidden = false;
  show("result", error ?? classification);
  document.querySelector(".swatches").hidden = !classification;
  if (!classification) return;
  const { primary, label } = classification;
  $("swatch-label").setAttribute("fill", label?.hex ?? "none");
  $("swatch-found").setAttribute("fill", primary.hex);
  const verdicts = { agree: "your label fits", near: "your label is close", disagree: "your label differs" };
  $("said").textContent = `${primary.name} ${primary.hex}: ${verdicts[label?.verdict] ?? "there was no label"}`;
}

function showProgress({ total, succeeded, failed }) {
  $("progress").max = total;
  $("progress").value = succeeded + failed;
  $("done").textContent = `${succeeded + failed} of ${total} done`;
}

async function follow(key, id) {
  $("live").hidden = false;
  for await (const { name, data } of eventsOf(key, id)) {
    showProgress(name === "snapshot" ? data.status.progress : data.progress);
    for (const result of data.results ?? []) showResult(result);
    if (name === "done") return;
  }
}

async function send() {
  const image = Object.fromEntries(members.map((name) => [name, $(name).value.trim()]));
  for (const id of ["live", "found", "page"]) $(id).hidden = true;
  $("answer").hidden = false;
  show("sent", [image]);
  const key = $("key").value.trim();
  const { ok, id, page } = await submit(key, [image]);
  if (!ok) return;
  if (page) {
    $("page").href = page;
    $("page").hidden = false;
  }
  await follow(key, id);
}

document.documentElement.classList.add("scripted");
addCopyButtons();
$("picker")?.addEventListener("input", () => ($("hex_color_label").value = $("picker").value.toUpperCase()));
$("form")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  $("send").disabled = true;
  try {
    await send();
  } catch (error) {
    show("reply", `The server did not answer: ${error.message}`);
  } finally {
    $("send").disabled = false;
  }
});
