// A CNN learns digits from scratch, and teaches smaller ones: each at least as right as by labels alone.
import { bytesOf, plain } from "./support/networks.mjs";
import { accuracyOf, mean, moved, splitsOf, spread, taught } from "./support/teach.mjs";

const seeds = [1, 2, 3];
/** Channels of the students' two convolutions. */
const students = [
  [2, 4],
  [4, 8],
  [6, 12],
];
const teacherWidths = [16, 32];
/** On five pictures for each digit: as it is, and moved by two pixels to each side. */
const teacherOptions = { epochs: 5, batch: 64, rate: 0.003 };
const studentEpochs = [4, 6];
const studentOptions = { batch: 32, rate: 0.005 };

export async function prove({ claim, inform, root }) {
  const { training, test } = await splitsOf(
    `${new URL("fixtures/data/mnist-training.mjs", `file://${root}`)}`,
  );
  const pictures = moved(training);
  const teachers = [];
  for (const seed of seeds) {
    const start = await bytesOf(plain(teacherWidths, seed));
    const { bytes } = await taught(start, { samples: pictures, seed, options: teacherOptions });
    teachers.push({ bytes, right: await accuracyOf(bytes, test) });
  }
  const rights = teachers.map(({ right }) => right);
  claim("a CNN that starts from nothing: top-1 on the test digits, mean of three seeds", {
    value: mean(rights),
    bound: 0.98,
    n: test.length,
    interval: spread(rights),
    met: mean(rights) >= 0.98,
    note: `${training.length} digits to learn from, each in five places, ${teacherOptions.epochs} epochs; the interval is the three's spread`,
  });

  const [{ bytes: teacher }] = teachers;
  for (const widths of students) {
    for (const epochs of studentEpochs) {
      const [alone, distilled] = [[], []];
      for (const seed of seeds) {
        const start = await bytesOf(plain(widths, 100 + seed));
        const options = { ...studentOptions, epochs };
        const by = async (how) => {
          const { bytes } = await taught(start, { samples: training, seed, options, ...how });
          return accuracyOf(bytes, test);
        };
        alone.push(await by({}));
        distilled.push(await by({ teacher }));
      }
      const name = `${widths.join(" and ")} channels, ${epochs} epochs`;
      inform(`${name}: top-1 by labels alone, mean of three seeds`, {
        value: mean(alone),
        n: test.length,
        interval: spread(alone),
      });
      claim(`${name}: top-1 of the distilled, at least that by labels alone`, {
        value: mean(distilled),
        bound: mean(alone),
        n: test.length,
        interval: spread(distilled),
        met: mean(distilled) >= mean(alone),
        note: "means of three seeds, which start from the same weights; the interval is their spread",
      });
    }
  }
}
