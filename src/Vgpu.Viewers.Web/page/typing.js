// Typing on a telephone: its keyboard needs a field, whose text is told to the guest letter by letter.

const padding = '_'.repeat(100); // something to delete

/** Sends what is typed into the field to the guest; rfb() is noVNC's connection, or null. */
export function typeInto(field, { keysyms, keys }, rfb) {
  let before = padding;
  const reset = () => {
    field.value = padding;
    before = padding;
    field.setSelectionRange(padding.length, padding.length);
  };
  const send = keysym => rfb()?.sendKey(keysym, null);
  field.addEventListener('focus', reset);
  field.addEventListener('input', event => {
    const now = [...field.value];
    const old = [...before];
    let same = 0;
    while (same < now.length && same < old.length && now[same] === old[same]) {
      same++;
    }
    for (let i = same; i < old.length; i++) {
      send(keys.XK_BackSpace);
    }
    for (const letter of now.slice(same)) {
      send(letter === '\n' ? keys.XK_Return : keysyms.lookup(letter.codePointAt(0)));
    }
    before = field.value;
    if (!event.isComposing && (now.length > 200 || now.length < 50)) {
      reset();
    }
  });
}
