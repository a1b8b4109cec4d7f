// Runs before the shop in every container (NODE_OPTIONS). The shop takes one URL for each store, but a password that is
// rotated lies in Secrets Manager by itself, and neither ECS nor an image without a shell can join the parts.
const { env } = process;
const taken = (name) => {
  const value = encodeURIComponent(env[name] ?? '');
  delete env[name];
  return value;
};
if (env.DATABASE_HOST) {
  const login = `${taken('DATABASE_USER')}:${taken('DATABASE_PASSWORD')}`;
  env.MYSQL_URL = `mysql://${login}@${taken('DATABASE_HOST')}:${taken('DATABASE_PORT')}/${taken('DATABASE_NAME')}?ssl=Amazon%20RDS`;
}
if (env.CACHE_HOST) {
  env.REDIS_URL = `rediss://:${taken('CACHE_PASSWORD')}@${taken('CACHE_HOST')}:${taken('CACHE_PORT')}`;
}
