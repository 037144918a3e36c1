// The page beside the picture: what every curve ends in, and where training did not pay.
import { mean, spread } from "./teach.mjs";

/** @param {{ machine: string, test: number }} made on which processor, and with how many test digits */
export function curvesPage(figures, { machine, test }) {
  const sections = figures.map(({ title, about, curves }) => {
    const rows = curves.map(
      ({ name, samples, loss, learned, validation, before, right }) =>
        `| ${name} | ${samples} × ${loss.length} | ${digits(loss[0])} → ${digits(loss.at(-1))} | ${percent(learned.at(-1))} | ${percent(validation[0])} → ${percent(validation.at(-1))} | ${percent(mean(before))} | ${percent(mean(right))} (${spread(right).map(percent).join(" to ")}) |`,
    );
    return `## ${title}

${about}

| training | digits × epochs | loss, first and last epoch | right while learning | of other digits | test, before | test, after |
| --- | --: | --: | --: | --: | --: | --: |
${rows.join("\n")}`;
  });
  return `# How trainings go

\`npm run prove -- training/curves\` writes this page and its picture, in a few minutes on two cores: ${machine}. Every
figure is the mean of three seeds, which draw fresh weights and the order of samples, and of the ${test} test digits that
took no part in it; in brackets is the three's spread. The loss is the mean over an epoch, of the labels and, with a teacher,
of its answers: losses with and without one are of different things, and only how right a model is compares them.

![Loss and share of right answers by epoch](curves.svg)

${sections.join("\n\n")}

## Where it did not pay

${losses(figures)}
`;
}

/** Of each training that lost against the other beside it, or against what it began with. */
function losses(figures) {
  const said = figures.flatMap(({ title, curves: [first, second] }) => {
    const gained = 100 * (mean(first.right) - mean(first.before));
    const against = second === undefined ? null : 100 * (mean(first.right) - mean(second.right));
    return [
      ...(gained > 0 ? [] : [`- ${title}: ${first.name} it lost ${points(-gained)}.`]),
      ...(against === null || against > 0.1
        ? []
        : [
            `- ${title}: ${first.name} it ended ${against < 0 ? `${points(-against)} below` : "level with"} ${second.name}.`,
          ]),
    ];
  });
  const heart = figures.flatMap(({ title, curves }) =>
    curves
      .filter(({ learned, validation }) => learned.at(-1) - validation.at(-1) > 0.05)
      .map(
        ({ name, learned, validation }) =>
          `- ${title}, ${name}: ${percent(learned.at(-1))} right of what it learned from, and ${percent(validation.at(-1))} of other digits.`,
      ),
  );
  const all = [...said, ...heart];
  return all.length === 0 ? "Nowhere among these." : all.join("\n");
}

const points = (value) => `${value.toFixed(2)} points`;
const digits = (value) => String(Number(value.toPrecision(3)));
const percent = (share) => `${(100 * share).toFixed(1)} %`;
