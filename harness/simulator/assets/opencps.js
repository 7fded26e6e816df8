// The single page of the opencps family: views by the address's fragment, everything else by /o/rest/v2.
'use strict';
(function () {
  const root = document.querySelector('#view');
  const store = window.sessionStorage;

  async function call(method, path, body) {
    const headers = {groupId: themeDisplay.getScopeGroupId(), Token: Liferay.authToken};
    const answer = await fetch('/o/rest/v2' + path, {method: method, headers: headers, body: body});
    const said = await answer.json();
    if (!answer.ok) { throw new Error(said.description); }
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

  async function search() {
    const keyword = make('input', {id: 'keyword'});
    const list = make('ul');
    show(make('h2', {textContent: 'Dịch vụ công'}), keyword, button('Tìm kiếm', 'search', async () => {
      const found = await call('GET', '/serviceinfos?start=0&end=10&keyword=' + encodeURIComponent(keyword.value));
      list.replaceChildren(...found.data.map((item) => make('li', {}, [
        make('a', {className: 'service', href: '#/thu-tuc/' + item.serviceInfoId, textContent: item.serviceName}),
      ])));
    }), list);
  }

  async function service(number) {
    const found = await call('GET', '/serviceinfos/' + number);
    show(make('h2', {textContent: found.serviceName}), make('p', {textContent: found.serviceCode + ', lệ phí: ' + found.feeText}),
      make('ul', {}, found.fileTemplates.map((item) => make('li', {textContent: item.templateName}))),
      make('a', {id: 'apply', href: '#/nop-ho-so/' + found.serviceInfoId, textContent: 'Nộp hồ sơ'}));
  }

  async function apply(number) {
    if (!themeDisplay.isSignedIn()) {
      store.setItem('wanted', location.hash);
      location.href = document.querySelector('#dang-nhap').href;
      return;
    }
    const found = await call('GET', '/serviceinfos/' + number);
    const wards = (await call('GET', '/wards')).data;
    const names = {applicantName: 'Họ tên', applicantIdNo: 'Số định danh', applicantIdDate: 'Ngày sinh', contactTelNo: 'Điện thoại', contactEmail: 'Email', address: 'Địa chỉ'};
    const ward = make('select', {name: 'wardName'}, wards.map((item) => new Option(item.itemName, item.itemName)));
    const form = make('form', {id: 'applicant'}, [
      ...Object.entries(names).map((entry) => make('label', {textContent: entry[1] + ' '}, [make('input', {name: entry[0]})])), ward,
    ]);
    const content = make('textarea', {name: 'noiDung'});
    const file = make('input', {type: 'file', name: 'file'});
    show(make('h2', {textContent: found.serviceName}), form, content, file, button('Nộp hồ sơ', 'submit', async () => {
      const applicant = new URLSearchParams(new FormData(form));
      applicant.set('serviceCode', found.serviceCode);
      applicant.set('govAgencyCode', found.serviceConfigs[0].govAgencyCode);
      const dossier = await call('POST', '/dossiers', applicant);
      const upload = new FormData();
      upload.append('file', file.files[0]);
      upload.append('dossierPartNo', found.fileTemplates[0].fileTemplateNo);
      const stored = await call('POST', '/dossiers/' + dossier.dossierId + '/files', upload);
      const data = new URLSearchParams({formdata: JSON.stringify({noiDung: content.value})});
      await call('PUT', '/dossiers/' + dossier.dossierId + '/files/' + stored.referenceUid + '/formdata', data);
      await call('POST', '/dossiers/' + dossier.dossierId + '/submit');
      location.hash = '#/ho-so/' + dossier.dossierId;
    }));
  }

  async function dossier(number) {
    store.setItem('dossier', number);
    const found = await call('GET', '/dossiers/' + number);
    const payment = await call('GET', '/dossiers/' + number + '/payment');
    const states = {1: 'Chưa thanh toán', 3: 'Chưa xác nhận thanh toán', 4: 'Thanh toán không thành công', 5: 'Đã thanh toán'};
    show(make('h2', {}, ['Mã hồ sơ: ', make('strong', {id: 'code', textContent: found.dossierNo})]),
      make('p', {id: 'state', textContent: found.dossierStatusText}),
      make('p', {id: 'payment', textContent: payment.paymentAmount ? payment.paymentAmount + ' đồng: ' + states[payment.paymentStatus] : 'Không thu lệ phí'}));
    if (payment.paymentAmount && payment.paymentStatus !== 5) {
      root.append(button('Thanh toán', 'pay', async () => {
        const profile = await call('GET', '/dossiers/' + number + '/payments/' + payment.referenceUid + '/epaymentprofile');
        location.href = profile.paygate.url;
      }));
    }
  }

  function view() {
    const wanted = store.getItem('wanted');
    if (wanted && themeDisplay.isSignedIn() && !location.hash) {
      store.removeItem('wanted');
      location.hash = wanted;
      return;
    }
    const back = location.pathname.endsWith('/thanh-toan') && store.getItem('dossier');
    const asked = /^#\/(thu-tuc|nop-ho-so|ho-so)\/(\w+)/.exec(location.hash) || (back ? ['', 'ho-so', back] : null);
    const shown = asked ? {'thu-tuc': service, 'nop-ho-so': apply, 'ho-so': dossier}[asked[1]](asked[2]) : search();
    shown.catch((error) => show(make('p', {className: 'error', textContent: error.message})));
  }

  window.addEventListener('hashchange', view);
  view();
})();
