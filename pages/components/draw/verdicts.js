export default ({ parentElement, data }) => {
  parentElement.querySelector("section").innerHTML = data
}
