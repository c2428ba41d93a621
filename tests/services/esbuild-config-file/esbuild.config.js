module.exports = () => ({
  bundle: true,
  minify: false,
  external: ['left-out'],
  exclude: '*',
  keepNames: true,
  define: { 'process.env.BUILT': '"yes"' },
  loader: { '.txt': 'text' },
});
