"use strict";
// Plays the steps of a graph on pictures that were laid out beforehand. All text goes in as textContent.
(function () {
  const $ = id => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  const root = document.documentElement, panel = $("panel"), stage = $("stage");
  const nodes = new Map(data.nodes.map(n => [n.id, n]));
  const steps = data.steps, last = steps.length - 1;
  const overview = [...panel.childNodes];
  const quiz = data.quiz, answered = new Set();
  let at = -1, level = 0, timer = null, picked = null;
  root.classList.add("js-on");

  // What was left out, as it stands elsewhere in the data.
  data.edges.forEach(e => { if (e.length < 3) e.push(0); });
  for (const n of data.nodes) {
    n.kind = n.k || "op"; n.title = n.t || n.op; n.dtype = n.d || "float32"; n.shape = n.s || "()";
    n.value = n.v; n.grad = n.g;
    n.module = n.m === 1 ? n.title.slice(0, n.title.lastIndexOf(".")) : n.m;
    if (n.at !== undefined) [n.where, n.code] = data.lines[n.at];
  }
  for (const s of steps) {
    s.b = s.p !== undefined;
    const time = s.b ? "back" : "us";
    if (s.us) nodes.get(s.n)[time] = (nodes.get(s.n)[time] || 0) + s.us;
    if (!s.b) continue;
    if (s.g === undefined) s.g = nodes.get(s.n).grad;
    for (const p of s.p) {
      p.o = p.o || 0;
      if (p.v === undefined) p.v = nodes.get(p.t).grad;
      if (p.of && p.c === undefined) p.c = nodes.get(p.t).grad;
    }
  }

  // --- what is known after which step ---
  const valueAt = new Map(), parts = new Map(), gradAt = new Map(), operands = new Map(), users = new Map();
  for (const [tail, head, which, label] of data.edges) {
    if (typeof which !== "number") continue;
    push(operands, head, {tail, which, label});
    push(users, tail, head);
  }
  steps.forEach((s, k) => {
    if (!s.b) { if (!valueAt.has(s.n)) valueAt.set(s.n, k); return; }
    if (s.g !== undefined && !gradAt.has(s.n) && !parts.has(s.n)) gradAt.set(s.n, k);
    for (const p of s.p) push(parts, p.t, {k, p});
  });
  for (const [id, list] of parts) gradAt.set(id, list[list.length - 1].k);
  function push(map, key, value) { map.has(key) ? map.get(key).push(value) : map.set(key, [value]); }

  // --- boxes and edges of the picture that is shown ---
  const prefix = () => level ? "s" + level + "-" : "";
  const folds = {0: data.fold};
  const fold = () => folds[level];
  const boxOf = id => fold()[id] === undefined ? id : fold()[id];
  const box = id => $(prefix() + "n" + boxOf(id));
  function edge(tail, head, which) {
    const name = prefix() + "e" + boxOf(tail) + "-" + boxOf(head) + "-";
    return $(name + which) || $(name + "0");
  }
  const boxes = [], edges = [];
  function register(picture) {
    for (const element of picture.querySelectorAll(".node")) {
      const [, shown, id] = /^(?:s(\d+)-)?n(\d+)$/.exec(element.id);
      const lines = [...element.querySelectorAll(".g tspan")];
      boxes.push({element, level: +(shown || 0), id: +id, lines, texts: lines.map(l => l.textContent)});
      if (element.tagName !== "g") continue;
      const tip = document.createElementNS(element.namespaceURI, "title");
      tip.textContent = nodes.get(+id).title;
      element.prepend(tip);
    }
    edges.push(...picture.querySelectorAll(".edge"));
  }
  register(stage);
  const sentences = [...document.querySelectorAll("ol.steps li")];

  function title(id) {
    const n = nodes.get(id);
    const name = n.title === n.op || !n.op ? n.title : n.title + " = " + n.op;
    const same = n.title === n.op || !n.title;
    return same ? name + " (n" + id + ")" : name;
  }
  // The lines of a box with other numbers in them, which the panel shows with seven digits and a box with four.
  const NUMBER = /-?(?:\d[\d.]*(?:e[-+]?\d+)?|nan|inf)/g;
  function instead(lines, text) {
    const found = text.match(NUMBER) || [];
    return lines.map(line => line.replace(NUMBER, old => found.length ? brief(found.shift()) : old));
  }
  const brief = x => isNaN(+x) ? x : String(+(+x).toPrecision(4));

  function paint() {
    const s = steps[at], playing = at >= 0;
    stage.className = playing ? "stepping " + (s.b ? "backward" : "forward") : "";
    edges.forEach(e => e.classList.remove("flow"));
    sentences.forEach((li, k) => li.classList.toggle("cur", k === at));
    for (const b of boxes) {
      const list = b.element.classList, inside = b.level === level;
      const hidden = quiz && steps.some((t, k) => t.b && !answered.has(k) && t.p.some(p => p.t === b.id));
      list.remove("cur", "recv");
      list.toggle("wait", playing && valueAt.get(b.id) > at);
      list.toggle("no-v", playing && valueAt.get(b.id) > at);
      const arrived = (parts.get(b.id) || []).filter(x => x.k <= at);
      const done = !playing || !gradAt.has(b.id) || gradAt.get(b.id) <= at;
      list.toggle("no-g", hidden || (!done && !arrived.length));
      const now = arrived.length ? arrived[arrived.length - 1].p : null;
      const lines = !done && now ? instead(b.texts, now.c || now.v) : b.texts;
      b.lines.forEach((l, i) => { l.textContent = lines[i]; });
      list.toggle("picked", inside && picked !== null && boxOf(picked) === b.id);
    }
    if (!playing) return;
    mark(box(s.n), "cur");
    if (s.b) s.p.forEach(p => { mark(edge(p.t, s.n, p.o), "flow"); if (boxOf(p.t) !== boxOf(s.n)) mark(box(p.t), "recv"); });
    else (operands.get(s.n) || []).forEach(o => mark(edge(o.tail, s.n, o.which), "flow"));
    follow(box(s.n));
  }
  function mark(element, name) { if (element) element.classList.add(name); }

  // --- the panel ---
  function make(tag, name, text) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined) element.textContent = text;
    return element;
  }
  function say(tag, name, text) { return panel.appendChild(make(tag, name, text)); }
  const places = n => [n.kind === "failed" ? "no result" : n.shape === "()" ? "a number" : "shape " + n.shape, n.dtype === "float32" ? "" : n.dtype,
    n.module ? "in " + n.module : "", n.order ? "of the derivative, order " + n.order : ""].filter(Boolean).join(" · ");

  function head(n, badge, kind) {
    panel.replaceChildren();
    if (badge) say("span", "badge " + kind, badge);
    say("h2", "", title(n.id));
    say("div", "sub", places(n));
    if (n.attrs) say("div", "sub", n.attrs);
    if (n.where) {
      say("div", "sub", n.where).id = "where";
      if (n.code) say("pre", "code", n.code).id = "code";
    }
    if (n.error) say("pre", "code", n.error);
  }
  function table(rows) {
    const body = say("table", "", undefined);
    for (const [name, text, kind] of rows) {
      const row = body.appendChild(make("tr"));
      row.append(make("th", "", name), make("td", kind, text));
    }
    return body;
  }
  function inputs(id) {
    const list = operands.get(id) || [];
    if (!list.length) return;
    say("h3", "", list.length > 1 ? "operands" : "operand");
    table(list.map(o => {
      const n = nodes.get(o.tail);
      const name = called(id, o.which);
      return [(name ? name + " = " : "") + title(o.tail), n.value || n.shape, n.value ? "v" : ""];
    })).id = "operands";
  }
  function called(id, which) {
    const names = data.inputs[nodes.get(id).op];
    return names ? names[Math.min(which, names.length - 1)] : "";
  }
  function rules(op) {
    const lines = data.formulas[op];
    if (!lines) return;
    say("h3", "", "local derivative (g is what came in)");
    say("pre", "num", lines.join("\n")).id = "formula";
    panel.append(...meanings(lines.join(" ")));
  }
  function meanings(line) {
    const words = [...new Set(line.match(/[A-Za-z_]\w*/g))].filter(word => Object.hasOwn(data.words, word));
    return words.map(word => make("div", "note word", word + ": " + data.words[word]));
  }
  const took = us => us === undefined ? "" : " · " + us + " µs";

  function tell() {
    if (at < 0) { panel.replaceChildren(...overview); return; }
    const s = steps[at], n = nodes.get(s.n);
    head(n, "step " + at + " · " + (s.b ? "backward" : "forward") + took(s.us), s.b ? "b" : "");
    if (!s.b) {
      inputs(s.n);
      if (n.error) return;
      say("h3", "", "result");
      say("pre", "num f-text", n.value || "shape " + n.shape).id = "value";
      return;
    }
    if (s.g !== undefined) {
      say("h3", "", "gradient that came in");
      say("pre", "num b-text", s.g).id = "gradient";
    }
    inputs(s.n);
    if (n.value) { say("h3", "", "value (y)"); say("pre", "num f-text", n.value).id = "value"; }
    if (!s.p.every(ruleOf)) rules(n.op);
    say("h3", "", s.p.length ? "what goes back along " + (s.p.length > 1 ? "each edge" : "the edge") : s.g === undefined ? "no numbers were recorded" : "nothing goes on");
    if (quiz && s.p.length && !answered.has(at)) ask(s);
    else s.p.forEach(part);
  }
  function nameOf(p) {
    const name = called(steps[at].n, p.o);
    return "to " + title(p.t) + (name ? " (" + name + ")" : "");
  }
  function ruleOf(p) {
    const lines = data.formulas[nodes.get(steps[at].n).op] || [], name = called(steps[at].n, p.o);
    return lines.length === 1 ? lines[0] : lines.find(line => name && line.startsWith("d" + name + " "));
  }
  function part(p) {
    const div = say("div", "part");
    div.append(make("div", "", nameOf(p)));
    const rule = ruleOf(p);
    if (rule) div.append(make("pre", "part-rule", rule), ...meanings(rule));
    div.append(make("pre", "num b-text part-value", p.v));
    if (p.s) div.append(make("div", "note", "summed down to shape " + p.s + ", because forward had broadcast it"));
    if (p.of) {
      const what = p.i === p.of ? "all " + p.of + " have come; their sum is its gradient:" : p.i + " of " + p.of + " have come; their sum so far:";
      div.append(make("div", "note", "used " + p.of + " times, so it gets a sum. " + what), make("pre", "num b-text part-total", p.c));
    }
  }

  // --- the quiz: what goes back is typed in before it is shown ---
  const numbersIn = text => (text.match(/-?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?/gi) || []).map(Number);
  function isRight(typed, text) {
    const got = numbersIn(typed), wanted = numbersIn(text);
    const size = Math.max(...wanted.map(Math.abs), 0);
    return got.length === wanted.length && got.every((x, i) => Math.abs(x - wanted[i]) <= 0.01 * Math.abs(wanted[i]) + 0.001 * size);
  }
  function ask(s) {
    const k = at, form = say("form"), fields = [];
    for (const p of s.p) {
      const div = form.appendChild(make("div", "part"));
      div.append(make("div", "", nameOf(p)));
      const rule = ruleOf(p);
      if (rule) div.append(make("pre", "part-rule", rule), ...meanings(rule));
      if (/^rms|nan|inf/.test(p.v)) { div.append(make("pre", "num b-text", p.v)); continue; }
      const field = div.appendChild(make("input"));
      field.type = "text"; field.autocomplete = "off";
      field.setAttribute("aria-label", nameOf(p));
      field.placeholder = numbersIn(p.v).length > 1 ? numbersIn(p.v).length + " numbers" : "a number";
      fields.push([field, p]);
    }
    const check = form.appendChild(make("button", "", "check")), show = form.appendChild(make("button", "", "show me"));
    check.id = "check"; show.id = "reveal"; show.type = "button";
    const open = () => { answered.add(k); tell(); paint(); };
    show.onclick = open;
    form.onsubmit = event => {
      event.preventDefault();
      let right = true;
      for (const [field, p] of fields) {
        const ok = isRight(field.value, p.v);
        field.classList.toggle("wrong", !ok);
        right = right && ok;
      }
      if (right) open();
    };
    if (!fields.length) open();
    stop();
  }

  function describe(id) {
    const n = nodes.get(id);
    picked = id;
    head(n, n.tag || "", "");
    if (n.holds) say("p", "", "stands for " + n.holds + " nodes");
    inputs(id);
    const hidden = quiz && (parts.get(id) || []).some(x => !answered.has(x.k));
    const rows = [["value", n.value || "not known", n.value ? "v" : ""]];
    rows.push(["grad", hidden ? "?" : n.grad || "not computed", n.grad ? "g" : ""]);
    if (n.saved) rows.push(["keeps for backward", n.saved, ""]);
    if (n.us) rows.push(["forward", +n.us.toFixed(1) + " µs", ""]);
    if (n.back) rows.push(["backward", +n.back.toFixed(1) + " µs", ""]);
    say("h3", "", "what is known");
    table(rows);
    rules(n.op);
    const mine = steps.map((s, k) => k).filter(k => steps[k].n === id || (steps[k].b && steps[k].p.some(p => p.t === id)));
    if (mine.length) {
      say("h3", "", "steps");
      const line = say("p");
      mine.slice(0, 40).forEach(k => {
        const button = line.appendChild(make("button", "", k + (steps[k].b ? " backward" : " forward")));
        button.onclick = () => go(k);
      });
    }
    paint();
  }

  // --- going from step to step ---
  function go(k, quiet) {
    at = Math.max(-1, Math.min(last, k));
    picked = null;
    tell(); paint();
    $("slider").value = Math.max(at, 0);
    $("count").textContent = at < 0 ? "steps 0 to " + last : "step " + at + " / " + last;
    if (quiet) return;
    try { history.replaceState(null, "", at < 0 ? "#" : "#step=" + at); } catch (error) { /* not in this frame */ }
  }
  const wait = () => 1000 / +$("speed").value;
  function play() {
    if (timer) return stop();
    if (last < 0) return;
    if (at >= last) go(-1);
    $("play").textContent = "pause";
    const tick = () => { if (at >= last) return stop(); timer = setTimeout(tick, wait()); go(at + 1); };
    timer = 1; tick();
  }
  function stop() { clearTimeout(timer); timer = null; $("play").textContent = "play"; }
  function hand(k) { stop(); go(k); }
  function fromAddress() {
    const found = /^#step=(-?\d+)/.exec(location.hash);
    if (found && last >= 0) go(+found[1], true);
  }

  // --- moving the picture: the view box of the svg that is shown ---
  let view = null;
  const picture = () => document.querySelector("#picture" + level + " svg");
  const whole = svg => svg.whole || (svg.whole = svg.getAttribute("viewBox").split(" ").map(Number));
  const POINT = 4 / 3; // pixels
  function set(box) { view = box; const svg = picture(); if (svg) svg.setAttribute("viewBox", box.join(" ")); }
  function fit() {
    const svg = picture();
    if (!svg) return;
    const [x, y, w, h] = whole(svg), width = stage.clientWidth, height = stage.clientHeight;
    const scale = Math.min(width / w, height / h, 1.6);
    set([x - (width / scale - w) / 2, y - (height / scale - h) / 2, width / scale, height / scale]);
  }
  function begin() { // all of it if that can be read, else its beginning
    fit();
    if (!view || stage.clientWidth / view[2] >= 0.75 || !stage.clientWidth) return;
    const [x, y, w, h] = whole(picture()), width = stage.clientWidth / 0.95, height = stage.clientHeight / 0.95;
    set([w > width ? x : x - (width - w) / 2, h > height ? y : y - (height - h) / 2, width, height]);
  }
  function zoom(by, px, py) {
    if (!view) return;
    const [x, y, w, h] = view, fx = px === undefined ? 0.5 : px, fy = py === undefined ? 0.5 : py;
    const scale = stage.clientWidth / w * by;
    if (scale > 12 || scale < 0.02) return;
    set([x + w * fx * (1 - 1 / by), y + h * fy * (1 - 1 / by), w / by, h / by]);
  }
  function follow(element) {
    if (!element) return;
    if (!view) { element.scrollIntoView({block: "nearest"}); return; }
    const e = element.getBoundingClientRect(), s = stage.getBoundingClientRect();
    if (!e.width || (e.left > s.left + 8 && e.right < s.right - 8 && e.top > s.top + 8 && e.bottom < s.bottom - 8)) return;
    const unit = view[2] / s.width;
    const dx = (e.left + e.right) / 2 - (s.left + s.right) / 2, dy = (e.top + e.bottom) / 2 - (s.top + s.bottom) / 2;
    set([view[0] + dx * unit, view[1] + dy * unit, view[2], view[3]]);
  }
  let drag = null, moved = false;
  stage.addEventListener("pointerdown", event => { drag = event; moved = false; });
  window.addEventListener("pointermove", event => {
    if (!drag || !view) return;
    const dx = event.clientX - drag.clientX, dy = event.clientY - drag.clientY;
    if (!moved && Math.abs(dx) + Math.abs(dy) < 4) return;
    moved = true; drag = event;
    const unit = view[2] / stage.clientWidth;
    set([view[0] - dx * unit, view[1] - dy * unit, view[2], view[3]]);
  });
  window.addEventListener("pointerup", () => { drag = null; });
  stage.addEventListener("wheel", event => {
    if (!view) return;
    event.preventDefault();
    const s = stage.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY * 0.0015), (event.clientX - s.left) / s.width, (event.clientY - s.top) / s.height);
  }, {passive: false});
  stage.addEventListener("click", event => {
    const found = event.target.closest(".node");
    if (!found || moved) return;
    const id = +/n(\d+)$/.exec(found.id)[1];
    stop(); describe(id);
  });
  window.addEventListener("resize", () => { if (view) { const s = stage.clientWidth / view[2]; set([view[0], view[1], view[2], stage.clientHeight / s]); } });

  // --- search ---
  let hits = [], hit = -1;
  function search() {
    const words = $("search").value.toLowerCase().trim();
    const found = new Set();
    for (const n of nodes.values()) {
      if (words && [n.title, n.op, n.module, n.kind, "n" + n.id, n.attrs].some(t => t && t.toLowerCase().includes(words))) found.add(boxOf(n.id));
    }
    hits = boxes.filter(b => b.level === level && found.has(b.id));
    boxes.forEach(b => b.element.classList.toggle("hit", hits.includes(b)));
    $("hits").textContent = words ? hits.length + " found" : "";
    hit = -1;
  }
  function nextHit() { if (hits.length) { hit = (hit + 1) % hits.length; follow(hits[hit].element); describe(hits[hit].id); } }
  $("search").addEventListener("input", search);
  $("search").addEventListener("keydown", event => {
    if (event.key === "Enter") nextHit();
    if (event.key === "Escape") { $("search").value = ""; search(); stage.focus(); }
  });

  // --- controls ---
  for (const x of [0.25, 0.5, 1, 2, 4, 8, 16, data.speed].filter((v, i, all) => all.indexOf(v) === i).sort((a, b) => a - b)) {
    const option = $("speed").appendChild(make("option", "", x + "×"));
    option.value = x;
  }
  $("speed").value = data.speed;
  $("slider").max = Math.max(last, 0);
  $("slider").addEventListener("input", () => hand(+$("slider").value));
  const actions = {first: () => hand(0), back: () => hand(at - 1), next: () => hand(at + 1), last: () => hand(last), play,
    in: () => zoom(1.3), out: () => zoom(1 / 1.3), fit};
  for (const name in actions) $(name).addEventListener("click", event => { actions[name](); event.currentTarget.blur(); });
  // A picture with closed modules is unpacked when it is first asked for.
  async function open(packed) {
    const bytes = Uint8Array.from(atob(packed), c => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  }
  async function show(wanted) {
    if (!$("picture" + wanted)) {
      const [svg, fold] = await open(data.levels[wanted]);
      const picture = make("div", "picture");
      picture.id = "picture" + wanted;
      picture.append(document.importNode(new DOMParser().parseFromString(svg, "image/svg+xml").documentElement, true));
      stage.append(picture);
      folds[wanted] = fold;
      register(picture);
    }
    level = wanted;
    document.querySelectorAll(".picture").forEach(p => { p.hidden = p.id !== "picture" + level; });
    begin(); search(); paint();
  }
  if ($("level")) {
    $("level").addEventListener("change", () => show(+$("level").value));
    if (!window.DecompressionStream) $("level").parentNode.hidden = true;
  }
  const keys = {ArrowRight: "next", ArrowLeft: "back", Home: "first", End: "last", " ": "play", "+": "in", "=": "in", "-": "out", "0": "fit"};
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "range") return;
    if (event.key === "/") { event.preventDefault(); $("search").focus(); return; }
    if (event.key === "Escape") { hand(-1); return; }
    if (!keys[event.key] || (last < 0 && !/[-+=0]/.test(event.key))) return;
    event.preventDefault();
    actions[keys[event.key]]();
  });
  window.addEventListener("hashchange", () => { stop(); fromAddress(); });
  begin();
  go(-1, true);
  fromAddress();
})();
