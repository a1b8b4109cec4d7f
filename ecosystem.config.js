/**
 * The processes of one machine or container, for pm2: `api` answers requests, one worker for each core; `worker` does what goes on
 * beside them; `watch` ends workers that hang. `npm run cluster` starts it; docs/operating.md tells the rest.
 */
const { WEB_CONCURRENCY = 'max', WORKER_PORT = '3001' } = process.env;

const program = {
  script: 'dist/src/server.js',
  cwd: import.meta.dirname,
  // docs/decisions/0036 and 0040
  node_args: '--disable-proto=delete --max-semi-space-size=16 --heap-growing-percent=100',
  // until `process.send('ready')`, which comes when the process listens and is ready
  wait_ready: true,
  listen_timeout: 30_000,
  // DRAIN_DELAY_MS, DRAIN_TIMEOUT_MS and the time to close the stores fit into it
  kill_timeout: 25_000,
  // a process that dies at once is started again later and later, up to 15 s
  exp_backoff_restart_delay: 200,
  // it drains first, like at any other end
  max_memory_restart: '600M',
  merge_logs: true,
  // to stdout only: files that nobody rotates would fill the disk, and a container's memory
  out_file: '/dev/null',
  error_file: '/dev/null',
  vizion: false,
  pmx: false,
};

export const apps = [
  { ...program, name: 'api', exec_mode: 'cluster', instances: WEB_CONCURRENCY, env: { ROLES: 'web' } },
  { ...program, name: 'worker', exec_mode: 'fork', instances: 1, env: { ROLES: 'worker', PORT: WORKER_PORT } },
  {
    ...program,
    name: 'watch',
    script: 'dist/src/commands/watch-processes.js',
    exec_mode: 'fork',
    instances: 1,
    // pm2's own client inherits through __proto__
    node_args: '',
    wait_ready: false,
    kill_timeout: 1000,
  },
];
