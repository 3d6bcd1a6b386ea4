/** Text of the server in the words of the page. */

/** A remark as a sentence of its own. */
export const sentence = (text: string): string => {
  const isAddress = /^\S*[:.]\S/.test(text);
  return `${isAddress ? text : text.charAt(0).toUpperCase() + text.slice(1)}`.replace(/\.$/, '') + '.';
};
