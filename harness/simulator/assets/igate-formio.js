// The single-page app of the igate-formio family: the address says which view, the API below /api does the work.
'use strict';
(function () {
  const root = document.querySelector('app-root');
  const store = window.sessionStorage;
  const last = location.pathname.split('/').pop();

  async function renewed() {
    const answer = await fetch('/api/oidc/token', {
      method: 'POST', body: JSON.stringify({grant_type: 'refresh_token', refresh_token: store.getItem('refresh')}),
    });
    if (!answer.ok) { store.clear(); return false; }
    keep(await answer.json());
    return true;
  }

  function keep(tokens) {
    store.setItem('access', tokens.access_token);
    store.setItem('refresh', tokens.refresh_token);
  }

  async function call(method, path, body, again) {
    const headers = {};
    if (store.getItem('access')) { headers.Authorization = 'Bearer ' + store.getItem('access'); }
    if (body && !(body instanceof FormData)) { headers['Content-Type'] = 'application/json'; body = JSON.stringify(body); }
    const answer = await fetch('/api' + path, {method: method, headers: headers, body: body});
    if (answer.status === 401 && !again && await renewed()) { return call(method, path, body, true); }
    const said = await answer.json();
    if (!answer.ok) { throw new Error(said.error_description || said.message); }
    if (said.affectedRows === 0) { throw new Error(said.error); }
    return said;
  }

  function make(tag, values, children) {
    const element = Object.assign(document.createElement(tag), values || {});
    (children || []).forEach((child) => element.append(child));
    return element;
  }

  function show() { root.replaceChildren(...arguments); }

  function button(text, id, act) {
    const made = make('button', {textContent: text, id: id, type: 'button'});
    made.addEventListener('click', () => act().catch((error) => root.append(make('p', {className: 'error', textContent: error.message}))));
    return made;
  }

  function search() {
    const keyword = make('input', {id: 'keyword', placeholder: 'Từ khóa'});
    const list = make('ul', {id: 'procedures'});
    show(make('h1', {textContent: 'Thủ tục hành chính'}), keyword, button('Tìm kiếm', 'search', async () => {
      const page = await call('GET', '/basepad/procedure?page=0&size=10&keyword=' + encodeURIComponent(keyword.value));
      list.replaceChildren(...page.content.map((item) => make('li', {}, [
        make('a', {className: 'procedure', href: '/vi/procedure/detail/' + item.id, textContent: item.name}),
      ])));
    }), list);
  }

  async function detail() {
    const found = await call('GET', '/basepad/procedure/' + last);
    show(make('h1', {textContent: found.name}), make('p', {textContent: found.code + ', lệ phí ' + found.fee + ' đồng'}),
      make('ul', {}, found.components.map((item) => make('li', {textContent: item.name}))),
      make('a', {id: 'apply', href: '/vi/padsvc/apply-online/' + found.id, textContent: 'Nộp hồ sơ'}));
  }

  async function callback() {
    const given = new URLSearchParams(location.search);
    const answer = await fetch('/api/oidc/token', {method: 'POST', body: JSON.stringify({code: given.get('code'), state: given.get('state')})});
    const said = await answer.json();
    if (!answer.ok) { throw new Error(said.error_description); }
    keep(said);
    store.setItem('user', JSON.stringify(said.user));
    location.replace(store.getItem('wanted') || '/vi');
  }

  function field(component, user) {
    const tag = {select: 'select', textarea: 'textarea'}[component.type] || 'input';
    const input = make(tag, {name: component.key, value: user[component.key] || ''});
    if (component.data) { input.append(...component.data.values.map((item) => new Option(item.label, item.value))); }
    return make('label', {textContent: component.label + ' '}, [input]);
  }

  async function apply() {
    if (!store.getItem('access')) {
      store.setItem('wanted', location.pathname);
      location.href = '/vi/sso/login';
      return;
    }
    const procedure = await call('GET', '/basepad/procedure/' + last);
    const definition = await call('GET', '/eform/form/' + procedure.eForm.id);
    const user = JSON.parse(store.getItem('user') || '{}');
    const form = make('form', {id: 'eform'}, definition.components.map((item) => field(item, user)));
    const files = make('input', {type: 'file', multiple: true, name: 'files'});
    show(make('h1', {textContent: procedure.name}), form, files, button('Tiếp tục', 'next', async () => {
      const made = await call('POST', '/padman/dossier', {procedureId: procedure.id, data: Object.fromEntries(new FormData(form))});
      const upload = new FormData();
      upload.append('dossierId', made.id);
      Array.from(files.files).forEach((file) => upload.append('files', file));
      const stored = await call('POST', '/fileman/file/--multiple', upload);
      const component = {id: procedure.components[0].id, quantity: 1, file: stored.map((item) => ({id: item.id}))};
      await call('PUT', '/padman/dossier/' + made.id + '/components', {components: [component]});
      store.setItem('dossier', made.id);
      await fee(made.id);
    }));
  }

  async function fee(id) {
    const due = await call('GET', '/padman/dossier/' + id + '/fee');
    if (due.total && !due.paid) {
      show(make('p', {textContent: 'Lệ phí: ' + due.total + ' đồng'}), button('Thanh toán', 'pay', async () => {
        location.href = (await call('POST', '/padman/dossier/' + id + '/payment', {method: 'online'})).paymentUrl;
      }));
    } else {
      confirm(id);
    }
  }

  function confirm(id) {
    show(make('p', {textContent: 'Hồ sơ đã đủ thành phần, lệ phí'}), button('Nộp hồ sơ', 'submit', async () => {
      const captcha = await call('GET', '/padman/dossier/' + id + '/captcha');
      await call('PUT', '/padman/dossier/' + id + '/--submit', {captchaToken: captcha.captchaToken, delivery: {type: 'online'}});
      location.href = '/vi/padsvc/result/' + id;
    }));
  }

  async function paid() {
    const id = store.getItem('dossier');
    const state = await call('GET', '/padman/dossier/' + id + '/payment');
    show(make('p', {id: 'payment', textContent: state.statusName}));
    if (state.status === 'paid') { confirm(id); } else if (state.status === 'created') { window.setTimeout(paid, 1000); }
  }

  async function result() {
    const found = await call('GET', '/padman/dossier/' + last);
    show(make('h1', {textContent: 'Nộp hồ sơ thành công'}), make('strong', {id: 'code', textContent: found.code}));
  }

  function track() {
    const code = make('input', {id: 'code-to-track'});
    const state = make('p', {id: 'state'});
    show(code, button('Tra cứu', 'track', async () => {
      const found = (await call('GET', '/padman/dossier/--by-code?code=' + encodeURIComponent(code.value))).content;
      state.textContent = found.length ? found[0].status.name : 'Không tìm thấy hồ sơ';
    }), state);
  }

  const views = [
    [/^\/vi\/procedure\/detail\//, detail], [/^\/vi\/padsvc\/apply-online\//, apply], [/^\/vi\/sso\/callback$/, callback],
    [/^\/vi\/padsvc\/payment-result$/, paid], [/^\/vi\/padsvc\/result\//, result], [/^\/vi\/dossier\/search$/, async () => track()],
    [/./, async () => search()],
  ];
  views.find((view) => view[0].test(location.pathname))[1]().catch((error) => show(make('p', {className: 'error', textContent: error.message})));
})();
