type Properties = Readonly<Record<string, string | number | boolean | undefined>>;

/** An element with attributes (`false` and undefined leave one out) and children; strings become text. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children);
  return made;
}

/** A button that does something; its title also tells the key. */
export function button(text: string, title: string, action: () => void): HTMLButtonElement {
  const made = element("button", { type: "button", title }, text);
  made.addEventListener("click", action);
  return made;
}

export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** With as many digits as say something. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return "-";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 1e-3)) return value.toPrecision(4);
  return String(Number(value.toFixed(size < 10 ? 3 : size < 1000 ? 2 : 1)));
}

export function percent(share: number | null): string {
  return share === null ? "-" : (100 * share).toFixed(1);
}
