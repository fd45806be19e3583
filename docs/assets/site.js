// A link to something within a tab opens the tab.
function open() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const block = target?.closest(".tabbed-block");
  if (!block) return;
  const number = [...block.parentElement.children].indexOf(block);
  block.closest(".tabbed-set").querySelectorAll(":scope > input")[number].checked = true;
  target.scrollIntoView();
}

addEventListener("hashchange", open);
open();
