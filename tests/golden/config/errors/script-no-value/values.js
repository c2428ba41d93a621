const circle = {};
circle.circle = circle;

module.exports = { twice: () => () => 1, circle, class: class Named {}, date: new Date(0), null: null, right: 1 };
