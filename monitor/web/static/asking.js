// A link to a question (data-ask) opens it in a dialog instead of on a page of its own.
export function askFirst(dialog) {
  document.addEventListener("click", async (event) => {
    const link = event.target.closest?.("a[data-ask]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      const place = new URL(link.href);
      place.searchParams.set("parts", "ask");
      const answer = await fetch(place, {headers: {accept: "text/html"}});
      if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
      const form = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("form");
      dialog.replaceChildren(document.adoptNode(form));
      dialog.showModal();
    } catch {
      location.assign(link.href);
    }
  });
  dialog.addEventListener("click", (event) => {
    if (event.target !== dialog && !event.target.closest("[data-close]")) return;
    event.preventDefault();
    dialog.close();
  });
}
