import 'virtual:tokens.css';
import './styles/fonts.css';
import './styles/page.css';
import './styles/panels.ts';
import './kit/strip.ts';
import { startOffline } from './offline.ts';

/** What begins a panel: it is called once, when the panel comes near the screen. */
type Start = (section: HTMLElement) => void | Promise<void>;

const panels = import.meta.glob<{ start: Start }>('./panels/*/index.ts');

for (const section of document.querySelectorAll<HTMLElement>('[data-panel]')) {
  const load = panels[`./panels/${section.dataset.panel}/index.ts`];
  if (!load) continue;
  const near = new IntersectionObserver(
    (entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      near.disconnect();
      void load().then(({ start }) => start(section));
    },
    { rootMargin: '600px' },
  );
  near.observe(section);
}

// "#fast=..." carries something for a panel, which reads it when it begins
const [, named] = location.hash.match(/^#(\w+)=/) ?? [];
if (named) document.getElementById(named)?.scrollIntoView();

// the place in the page, in the navigation and under it
const links = [...document.querySelectorAll<HTMLAnchorElement>('.top a[href^="#"]')];
const seen = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      for (const link of links) {
        if (link.hash === `#${target.id}`) link.setAttribute('aria-current', 'true');
        else link.removeAttribute('aria-current');
      }
    }
  },
  { rootMargin: '-45% 0px -50% 0px' },
);
for (const section of document.querySelectorAll('main > section')) seen.observe(section);
const top = document.querySelector('.top')!;
addEventListener('scroll', () => top.classList.toggle('stuck', scrollY > 8), { passive: true });

for (const button of document.querySelectorAll<HTMLButtonElement>('[data-copy]')) {
  const label = button.textContent;
  button.addEventListener('click', async () => {
    const text = document.querySelector(button.dataset.copy!)!.textContent!.trim();
    const copied = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    );
    button.textContent = copied ? 'Copied' : 'Select it and copy';
    setTimeout(() => {
      button.textContent = label;
    }, 2000);
  });
}

void startOffline(
  document.querySelector<HTMLButtonElement>('#offline')!,
  document.querySelector<HTMLElement>('#offline-status')!,
);
