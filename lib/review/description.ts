const SAYS_NOTHING =
  /^(?:(?:db|database|schema|alembic|auto(?:generated?)?|new|small|minor|some|more|my|the|a|an|and|to|of|for|in|on|message|table|tables|model|models|column|columns|field|fields|stuff|things?|misc|various|wip|tmp|temp|test|todo|migrations?|revisions?|changes?|changed|updates?|updated|fix|fixes|fixed|edit|edits|modify|modified|tweaks?|cleanup|refactor|initial|empty|v?\d[\d.]*)\b[\s.,:;!_-]*)+$/i;
const CHANGES = /\b(?:initial|init|baseline|merge)\b/i;

/** Whether a description does not say what changes, such as "update" or "fix tables". "Initial schema" says what it is. */
export function vagueDescription(description: string): boolean {
  const words = description.trim();
  if (!words || /^[\W\d_]+$/.test(words)) return true;
  return SAYS_NOTHING.test(words) && !CHANGES.test(words);
}
