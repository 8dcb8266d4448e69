// All styles come before the first paint, so that nothing moves when a panel begins. A module of its own, as a glob is imported before
// the other imports of its module.
import.meta.glob('../panels/*/*.css', { eager: true });
