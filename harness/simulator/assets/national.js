// What the pages of the national family do by script: every answer comes from /jsp/rest.jsp.
'use strict';
(function () {
  const token = () => document.querySelector('meta[name=csrf-token]').content;
  const param = (name) => new URLSearchParams(location.search).get(name) || '';

  async function ask(service, values) {
    const params = JSON.stringify(Object.assign({service: service, provider: 'dvcquocgia', type: 'ref'}, values));
    const answer = await fetch('/jsp/rest.jsp', {method: 'POST', body: new URLSearchParams({params: params})});
    const text = (await answer.text()).trim();
    if (text[0] === '<') { throw new Error('Hết phiên làm việc, vui lòng đăng nhập lại'); }
    return JSON.parse(text);
  }

  function line(parent, text, href) {
    const item = parent.appendChild(document.createElement('p'));
    const inner = href ? item.appendChild(document.createElement('a')) : item;
    if (href) { inner.href = href; }
    inner.textContent = text;
    return inner;
  }

  function onClick(form, act) {
    if (!form) { return; }
    form.addEventListener('submit', (event) => event.preventDefault());
    form.querySelector('button').addEventListener('click', () => act().catch((error) => window.alert(error.message)));
  }

  const search = document.querySelector('#form-tim-kiem');
  onClick(search, async () => {
    const list = document.querySelector('#danh-sach');
    list.replaceChildren();
    const found = await ask('procedure_advanced_search_service_v2', {keyword: search.keyword.value, recordPerPage: 10, pageIndex: 1});
    found.forEach((item) => {
      line(list, item.PROCEDURE_NAME, '/p/home/dvc-tthc-thu-tuc-hanh-chinh-chi-tiet.html?ma_thu_tuc=' + item.ID).className = 'thu-tuc';
    });
    if (!found.length) { line(list, 'Không tìm thấy thủ tục phù hợp'); }
  });

  const place = document.querySelector('#chon-dia-ban');
  if (place) {
    place.tinh.addEventListener('change', async () => {
      const communes = await ask('dm_xa_phuong', {parent: place.tinh.value});
      place.xa.replaceChildren(...communes.map((item) => new Option(item.NAME, item.CODE)));
    });
  }

  const pay = document.querySelector('#thanh-toan-ho-so');
  onClick(pay, async () => {
    const said = await ask('payment_init_service', {ma_ho_so: pay.ma_ho_so.value, csrf: token()});
    if (said.error_code !== '0') { throw new Error(said.error_message); }
    location.href = said.payment_url;
  });
  if (pay && param('ma_ho_so')) {
    ask('payment_info_service', {ma_ho_so: param('ma_ho_so')}).then((found) => {
      found.forEach((item) => line(document.querySelector('#thong-tin'), item.TEN_TTHC + ': ' + item.SO_TIEN + ' đồng, ' + item.TRANG_THAI_THANH_TOAN));
    }).catch((error) => window.alert(error.message));
  }

  const track = document.querySelector('#tra-cuu');
  onClick(track, async () => {
    const result = document.querySelector('#ket-qua');
    result.replaceChildren();
    const found = await ask('dossier_search_service', {ma_ho_so: track.ma_ho_so.value.trim()});
    found.forEach((item) => { line(result, item.MA_HO_SO + ': ' + item.TRANG_THAI).className = 'trang-thai'; });
    if (!found.length) { line(result, 'Không tìm thấy hồ sơ'); }
    if (!found.length || !location.pathname.includes('ho-so-cua-toi')) { return; }
    const withdraw = line(result, 'Rút hồ sơ', '#');
    withdraw.className = 'rut-ho-so';
    withdraw.addEventListener('click', async (event) => {
      event.preventDefault();
      const said = await ask('dossier_withdraw_service', {ma_ho_so: found[0].MA_HO_SO, ly_do: 'Người nộp rút hồ sơ', csrf: token()});
      withdraw.parentNode.textContent = said.error_code === '0' ? 'Đã rút hồ sơ' : said.error_message;
    });
  });
})();
