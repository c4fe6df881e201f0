// @ts-check
// The page's script: copies code; searches, filters and links to findings. It adds no content.
(() => {
  for (const figure of document.querySelectorAll('figure[data-copy]')) {
    const code = figure.querySelector('code');
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = 'Copy';
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(code?.textContent ?? '');
        button.textContent = 'Copied';
      } catch {
        // A page in a frame may not write to the clipboard: the reader can, with the code selected.
        if (code) getSelection()?.selectAllChildren(code);
        button.textContent = 'Selected';
      }
      setTimeout(() => {
        button.textContent = 'Copy';
      }, 2_000);
    });
    figure.querySelector('figcaption')?.append(button);
  }
})();

(() => {
  const form = document.getElementById('filters');
  if (!(form instanceof HTMLFormElement)) return;
  const output = form.querySelector('output');
  const search = form.querySelector('input');
  const findings = [...document.querySelectorAll('.finding')].flatMap((element) =>
    element instanceof HTMLElement ? [element] : [],
  );
  /** The text that a search looks at, built on the first search. @type {Map<HTMLElement, string>} */
  const texts = new Map();

  /** @param {HTMLElement} element */
  const textOf = (element) => {
    const known = texts.get(element);
    if (known !== undefined) return known;
    const text = (element.textContent ?? '').toLowerCase().replace(/\s+/g, ' ');
    texts.set(element, text);
    return text;
  };

  const apply = () => {
    const wanted = new FormData(form);
    const words = String(wanted.get('text')).toLowerCase().split(/\s+/).filter(Boolean);
    const names = ['severity', 'rule', 'revision', 'state'].filter((name) => wanted.get(name));
    let shown = 0;
    for (const element of findings) {
      const matches =
        names.every((name) => element.dataset[name] === wanted.get(name)) &&
        words.every((word) => textOf(element).includes(word));
      element.hidden = !matches;
      if (matches) shown += 1;
    }
    if (output) output.textContent = `${shown} of ${findings.length} shown`;
  };

  /** A link shows its finding or revision even if it is filtered out or folded. */
  const follow = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.hidden) {
      form.reset();
      apply();
    }
    const details = target.matches('.graph > li') ? target.querySelector('details') : null;
    if (details) details.open = true;
    target.scrollIntoView();
  };

  form.hidden = false;
  form.addEventListener('input', apply);
  form.addEventListener('submit', (event) => event.preventDefault());
  // The controls are reset only after the event.
  form.addEventListener('reset', () => setTimeout(apply));
  addEventListener('hashchange', follow);
  addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
    event.preventDefault();
    search?.focus();
  });
  apply();
  follow();
})();
