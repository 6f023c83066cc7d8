// Before the page is drawn: the theme that was chosen on the other pages, light without a choice.
document.documentElement.dataset.theme = /(?:^|; )theme=dark(?:;|$)/.test(document.cookie) ? 'dark' : 'light';
