const Sequencer = require('@jest/test-sequencer').default;

/** The folders whose files take longest. The order is that of measured times. */
const LONGEST = ['local', 'packages', 'packaging', 'page', 'site', 'production', 'review', 'docs', 'bench', 'ci', 'constructs'];

/** On a fresh machine jest has no times, and goes by the size of files: a short file that takes a minute would start last and run alone. */
module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const folder = LONGEST.findIndex((name) => path.includes(`/test/${name}/`));
      return folder < 0 ? LONGEST.length : folder;
    };
    return super.sort(tests).sort((one, other) => rank(one) - rank(other));
  }
};
