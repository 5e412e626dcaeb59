// Draws nothing: has the browser keep a value for some seconds, or forget it. No other site can send it.
export default function (component) {
  const { name, value, seconds } = component.data;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${encodeURIComponent(value)}; Max-Age=${seconds}; Path=/; SameSite=Strict${secure}`;
}
