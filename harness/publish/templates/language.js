document.getElementById(/^en\b/i.test(navigator.language) ? "choose-en" : "choose-vi").checked = true;
