import Link from "next/link";

export default function NotFound() {
  return (
    <>
      <div className="head">
        <h1>There is no such page</h1>
      </div>
      <p>
        <Link className="link" href="/">
          Go to the overview
        </Link>
      </p>
    </>
  );
}
