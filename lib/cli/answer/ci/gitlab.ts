import type { Terminal } from '../../screen/terminal';
import type { CiReport } from './report';

/** Collapsible sections, https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections */
export class GitLabReport implements CiReport {
  constructor(private readonly notes: Terminal) {}

  async section<T>(name: string, run: () => Promise<T>): Promise<T> {
    this.mark('start', name, name);
    try {
      return await run();
    } finally {
      this.mark('end', name);
    }
  }

  end(): void {}

  private mark(edge: 'start' | 'end', name: string, title = ''): void {
    const seconds = Math.floor(Date.now() / 1000);
    this.notes.line(`\u001b[0Ksection_${edge}:${seconds}:migrate_invoke_${name}\r\u001b[0K${title}`);
  }
}
